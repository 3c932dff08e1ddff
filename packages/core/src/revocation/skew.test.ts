import { issueDelegation } from "@behest/delegation";
import { signCut } from "@behest/provenance";
import { expect, test } from "vitest";
import { type TestBehest, testBehest } from "../testing.ts";

const tools = { look: { "*": { constraint_type: "wildcard" } } };
const SKEWS = [-5, 0, 5];

/** Opens what the issuer signs at this time of its own clock, seconds. */
async function granted(behest: TestBehest, principal: string, now: number): ReturnType<TestBehest["open"]> {
  const { iss, signer } = behest.issuer;
  const claims = {
    issuer: iss,
    holder: behest.holder.jwk,
    principal,
    task: "t",
    tools,
    expiresIn: "1h",
    now,
  } as const;
  return behest.open(await issueDelegation(claims, signer));
}

test.for(SKEWS.flatMap((issuer) => SKEWS.map((revoker) => [issuer, revoker] as const)))(
  "an issuer %i s and a revoker %i s off: what was granted before stops, what is granted later goes on",
  async ([issuer, revoker]) => {
    const start = Math.floor(Date.now() / 1000);
    let now = start;
    await using behest = await testBehest({ clock: () => now * 1000 });
    const [alice, bob] = [
      await granted(behest, "alice", now + issuer),
      await granted(behest, "bob", now + issuer),
    ];
    now += 1;
    await behest.revoke(
      await signCut({ principal: "alice" }, { reason: "test", at: now + revoker }, behest.revoker),
    );
    const look = { tool: "look", args: {} };
    await expect(alice.perform(look, async () => 1)).rejects.toMatchObject({ code: "revoked" });
    expect(alice.signal.aborted).toBe(true);
    expect(await bob.perform(look, async () => 1)).toMatchObject({ outcome: "done" });
    // Also what an issuer with the same clock signed in the moment in which it was revoked.
    await expect(granted(behest, "alice", now + issuer)).rejects.toMatchObject({ code: "revoked" });
    now += 45;
    const fresh = await granted(behest, "alice", now + issuer);
    expect(await fresh.perform(look, async () => 1)).toMatchObject({ outcome: "done" });
  },
);
