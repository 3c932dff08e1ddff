import { generateHolder, issueDelegation } from "@behest/delegation";
import { verifyLog } from "@behest/provenance";
import { expect, test } from "vitest";
import { type CutTarget, memoryStore, signCut } from "../index.ts";
import { engine as engineOf } from "../store/types.ts";
import { type TestBehest, testBehest } from "../testing.ts";
import type { Session } from "../types.ts";

const tools = { read: { "*": { constraint_type: "wildcard" } } } as const;

function call(session: Session): Promise<unknown> {
  return session.perform({ tool: "read", args: {} }, async () => "done");
}

async function cut(behest: TestBehest, target: CutTarget): Promise<void> {
  await behest.revoke(await signCut(target, { reason: "test" }, behest.revoker));
}

test("a cut of any hop stops it and everything below, and nothing beside it", async () => {
  await using behest = await testBehest();
  const root = await behest.as("alice", tools, { run: "r" });
  const other = await behest.as("bob", tools);
  const [left, right] = [
    await root.delegate({ agent: "left", tools }),
    await root.delegate({ agent: "right", tools }),
  ];
  const below = await left.delegate({ agent: "below", tools });
  await cut(behest, { agent: "left" });
  for (const session of [left, below]) {
    expect(session.signal.aborted).toBe(true);
    expect(session.signal.reason).toMatchObject({ code: "revoked" });
    await expect(call(session)).rejects.toMatchObject({ name: "BehestDenied", code: "revoked" });
    await expect(session.delegate({ tools })).rejects.toMatchObject({ code: "revoked" });
  }
  for (const session of [root, right, other]) {
    expect(session.signal.aborted).toBe(false);
    expect(await call(session)).toMatchObject({ outcome: "done" });
  }
  // The agent that was cut is refused under a name that is the same, however late it is derived.
  const again = await root.delegate({ agent: "left", tools });
  await expect(call(again)).rejects.toMatchObject({ code: "revoked" });
});

test("a person, a tenant, a holder's key and one delegation are cut, fresh grants after it are not", async () => {
  const clock = { now: Date.now() };
  await using behest = await testBehest({ clock: () => clock.now });
  const at = (): number => Math.floor(clock.now / 1000);
  const agent = await generateHolder();
  const issue = (
    principal: string,
    change: { tenant?: string; holder?: typeof agent; now?: number } = {},
  ) => {
    const { holder = behest.holder, ...rest } = change;
    const { iss: issuer, signer } = behest.issuer;
    const claims = {
      issuer,
      holder: holder.jwk,
      principal,
      task: "t",
      tools,
      expiresIn: "1h",
      now: at(),
    } as const;
    return issueDelegation({ ...claims, ...rest }, signer);
  };
  const open = async (
    delegation: Parameters<TestBehest["open"]>[0],
    holder = behest.holder,
  ): Promise<string> =>
    behest.open(delegation, { holder }).then(
      () => "opened",
      (error: { code: string }) => error.code,
    );
  const [alice, ahead, acme, keyed, bob] = [
    await issue("alice"),
    await issue("alice", { now: at() + 20 }),
    await issue("carol", { tenant: "acme" }),
    await issue("dave", { holder: agent }),
    await issue("bob"),
  ];
  const jti = (
    JSON.parse(Buffer.from(bob.chain[0]!.split(".")[1]!, "base64url").toString()) as { jti: string }
  ).jti;
  const targets: readonly CutTarget[] = [
    { principal: "alice" },
    { tenant: "acme" },
    { holder: agent.thumbprint },
    { delegation: jti },
  ];
  for (const target of targets)
    await behest.revoke(await signCut(target, { reason: "r", at: at() }, behest.revoker));
  // Dated ahead, it was made before the cut all the same.
  for (const delegation of [alice, ahead, acme, bob]) expect(await open(delegation)).toBe("revoked");
  expect(await open(keyed, agent)).toBe("revoked");
  expect(await open(await issue("erin"))).toBe("opened");
  expect(await open(await issue("bob"))).toBe("opened");
  clock.now += 31_000;
  expect(await open(await issue("alice"))).toBe("opened");
  expect(await open(await issue("carol", { tenant: "acme" }))).toBe("opened");
  expect(await open(alice)).toBe("revoked");
  // A key is lost for ever.
  expect(await open(await issue("dave", { holder: agent }), agent)).toBe("revoked");
});

test("who is not enrolled revokes nothing, is told so, and somebody is alarmed", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", tools);
  const warned: string[] = [];
  const onWarning = (warning: Error & { code?: string }): void => void warned.push(warning.code ?? "");
  process.on("warning", onWarning);
  const foreign = await signCut({ principal: "alice" }, { reason: "r" }, await generateHolder());
  const own = await signCut({ principal: "alice" }, { reason: "r" }, behest.revoker);
  const edited = own.jws.replace(/\.[^.]+$/, `.${"A".repeat(86)}`);
  for (const jws of [foreign.jws, edited, "x.y.z", ""])
    await expect(behest.revoke({ jws })).rejects.toMatchObject({ code: "revocation_refused" });
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  expect(warned).toEqual(Array.from({ length: 4 }, () => "BEHEST_REVOCATION"));
  expect(await call(session)).toMatchObject({ outcome: "done" });
});

test("a running tool is told at once; a deaf one's outcome is unknown", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", tools);
  let told = "";
  const running = session.perform({ tool: "read", args: {} }, async (_, { signal }) => {
    const aborted = new Promise<never>((_resolve, reject) =>
      signal.addEventListener("abort", () => {
        told = (signal.reason as { code: string }).code;
        reject(signal.reason as Error);
      }),
    );
    await cut(behest, { principal: "alice" });
    return aborted;
  });
  expect(await running).toMatchObject({ outcome: "aborted" });
  expect(told).toBe("revoked");
});

test("the late result of a tool that did not listen is nobody's, and linked to its unknown outcome", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const session = await behest.as("alice", tools);
  const { promise, resolve } = Promise.withResolvers<string>();
  const running = session.perform({ tool: "read", args: {} }, async () => {
    await cut(behest, { principal: "alice" });
    return promise;
  });
  const outcome = await running;
  expect(outcome).toMatchObject({ outcome: "unknown" });
  expect(outcome).not.toHaveProperty("value");
  resolve("late");
  await new Promise((after) => setImmediate(after));
  const [record] = await behest.records.list();
  expect(record).toMatchObject({ verdict: "permit", outcome: "unknown" });
  const engine = store[engineOf];
  const entries = await engine.entries(0, 1000);
  const report = await verifyLog({ entries, checkpoint: await engine.checkpoint(), owner: behest.owner });
  expect(report).toMatchObject({ ok: true, counts: { outcome: 2, revocation: 1 } });
  expect(report.findings.map(({ code }) => code)).not.toContain("outcome_not_shown");
});
