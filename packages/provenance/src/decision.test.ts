import { canonical, publicKey, signCompact } from "@behest/jws";
import { expect, test } from "vitest";
import { digest, flips, key } from "../test/deployment.ts";
import { ProvenanceError, readActionDecision, signActionDecision } from "./index.ts";

const decision = { action: "call-1", leaf: digest("leaf"), tool: "read_file", args: digest("args") };
const holder = await key();
const pub = publicKey(holder.jwk);

test("the holder's decision reads back, signed here or elsewhere", async () => {
  const jws = signActionDecision(decision, holder);
  expect(typeof jws).toBe("string");
  expect(await readActionDecision(jws as string, pub)).toEqual(decision);
  const remote = { jwk: holder.jwk, sign: async (bytes: Uint8Array) => holder.sign(bytes) };
  expect(await signActionDecision(decision, remote)).toBe(jws);
});

test("a decision with any character changed, or of another holder, is refused", async () => {
  const jws = signActionDecision(decision, holder) as string;
  for (const flipped of flips(jws))
    await expect(readActionDecision(flipped, pub)).rejects.toThrow(ProvenanceError);
  const other = publicKey((await key()).jwk);
  await expect(readActionDecision(jws, other)).rejects.toMatchObject({ code: "signature_invalid" });
});

test("a decision that is too long is refused before it is verified", async () => {
  const long = signActionDecision({ ...decision, tool: "x".repeat(1 << 20) }, holder) as string;
  await expect(readActionDecision(long, pub)).rejects.toMatchObject({ code: "malformed_decision" });
});

test("another statement of the holder is no decision", async () => {
  const malformed = { code: "malformed_decision" };
  const delegation = signCompact({ typ: "aat+jwt" }, decision, holder) as string;
  await expect(readActionDecision(delegation, pub)).rejects.toMatchObject(malformed);
  for (const change of [{ approved: true }, { action: "" }, { args: 5 }]) {
    const wrong = signCompact(
      { typ: "behest-decision+jwt" },
      canonical({ ...decision, ...change }),
      holder,
    ) as string;
    await expect(readActionDecision(wrong, pub)).rejects.toMatchObject(malformed);
  }
});
