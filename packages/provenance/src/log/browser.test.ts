import { afterEach, expect, test, vi } from "vitest";
import { Deployment } from "../../test/deployment.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

test("a log is verified where there is neither Node's crypto nor its Buffer", async () => {
  const made = await Deployment.withLog();
  const evidence = {
    entries: made.entries,
    checkpoint: made.checkpoint(),
    owner: made.pin,
    head: made.head(),
  };
  vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
  vi.stubGlobal("Buffer", undefined);
  vi.resetModules();
  const { verifyLog } = await import("../index.ts");
  const { signerOf, generatePrivateJwk } = await import("@behest/jws");
  expect(signerOf(await generatePrivateJwk()).sign(new Uint8Array())).toBeInstanceOf(Promise);
  expect(await verifyLog(evidence)).toMatchObject({ ok: true, proven: made.entries.length });
  const signature = (jws: string) => jws.slice(jws.lastIndexOf("."));
  const [third, fourth] = [made.entries[3]!, made.entries[4]!];
  const forged = made.entries.with(3, third.replace(signature(third), signature(fourth)));
  expect(await verifyLog({ ...evidence, entries: forged })).toMatchObject({ ok: false, proven: 5 });
});
