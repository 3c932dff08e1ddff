// An approver who is enrolled when a decision is signed and handed in, and no more when it would be used.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Behest, createBehest, signDecision, sqliteStore } from "@behest/core";
import { generateHolder, issueDelegation } from "@behest/delegation";
import { generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, signTrust, trustHash } from "@behest/provenance";
import { expect, onTestFinished, test } from "vitest";
import { granted } from "./deployment.ts";

test("what an approver had approved who was withdrawn since does not start, and waits for another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "behest-withdrawn-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const keys = await Promise.all(Array.from({ length: 5 }, generatePrivateJwk));
  const [owner, issuer, enforcer, first, second] = keys.map(signerOf);
  const holder = await generateHolder();
  const iss = "https://issuer.test";
  const enrolled: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "behest.test/log",
    issuers: [{ iss, jwk: issuer!.jwk }],
    enforcers: [{ jwk: enforcer!.jwk }],
    approvers: [{ group: "finance", person: "first", jwk: first!.jwk }],
    revokers: [],
    witnesses: [],
  };
  const before = await signTrust(enrolled, owner!);
  const approvers = [{ group: "finance", person: "second", jwk: second!.jwk }];
  const after = await signTrust({ ...enrolled, approvers, seq: 1, prev: trustHash(before) }, owner!);
  const delegation = await issueDelegation(
    {
      issuer: iss,
      holder: holder.jwk,
      principal: "alice",
      task: "t",
      tools: granted,
      expiresIn: "1h",
      approvals: { pay: { finance: 1 } },
    },
    issuer!,
  );
  const start = (manifest: string): Promise<Behest> =>
    createBehest({
      trust: { owner: thumbprint(owner!.jwk), manifest },
      signer: enforcer!,
      holder,
      store: sqliteStore(join(folder, "log.sqlite")),
      policy: "default",
      profiles: { pay: { effect: "reversible", boundary: "inside" } },
    });
  const ran: unknown[] = [];
  const call = async (behest: Behest): Promise<unknown> => {
    const session = await behest.open(delegation, { run: "chat-1" });
    return session.perform({ tool: "pay", args: { amount: 5 }, callId: "1" }, async (args) => ran.push(args));
  };
  const approve = async (behest: Behest, by = first!): Promise<void> => {
    const [approval] = await behest.approvals.list();
    await behest.approvals.submit(approval!.id, await signDecision(approval!, { decision: "approve" }, by));
  };

  const old = await start(before);
  await expect(call(old)).rejects.toMatchObject({ code: "approval_needed" });
  await approve(old);
  await old.close();

  await using behest = await start(after);
  await expect(call(behest)).rejects.toMatchObject({ code: "approval_needed" });
  await expect(approve(behest)).rejects.toMatchObject({ code: "approval_invalid" });
  await expect(call(behest)).rejects.toMatchObject({ code: "approval_needed" });
  expect(ran).toEqual([]);
  await approve(behest, second!);
  await expect(call(behest)).resolves.toMatchObject({ outcome: "done" });
  expect(ran).toHaveLength(1);
});
