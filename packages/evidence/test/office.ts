import { type Reader, memoryStore, readStore, signCut, signDecision } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";

const any = { "*": { constraint_type: "wildcard" } };
const bobsOnly = { to: { constraint_type: "exact", value: "bob" } };

/** A log of everything: two persons, a sub-agent, a denial, an approved payment, a revocation. */
export class Office implements AsyncDisposable {
  readonly behest: TestBehest;
  readonly reader: Reader;

  private constructor(behest: TestBehest, reader: Reader) {
    this.behest = behest;
    this.reader = reader;
  }

  static async open(content: "keep" | "digest" = "keep"): Promise<Office> {
    const store = memoryStore();
    const behest = await testBehest({
      store,
      content,
      policy: "default",
      profiles: { look: { effect: "read", boundary: "inside" } },
    });
    const alice = await behest.as("alice", { look: any, pay: bobsOnly }, { run: "r", agent: "clerk" });
    await alice.perform({ tool: "look", args: { at: "x" } }, async () => "seen");
    await alice.perform({ tool: "drop", args: {} }, async () => "never").catch(() => {});
    const pay = (): Promise<unknown> =>
      alice.perform({ tool: "pay", args: { to: "bob" }, callId: "p" }, async () => "paid");
    await pay().catch(() => {});
    for (const waiting of await behest.approvals.list())
      await behest.approvals.submit(
        waiting.id,
        await signDecision(waiting, { decision: "approve" }, behest.approver(waiting.group)),
      );
    await pay();
    const child = await alice.delegate({ tools: { look: any }, agent: "helper" });
    await child.perform({ tool: "look", args: { at: "y" } }, async () => "seen");
    const bob = await behest.as("bob", { look: any });
    await bob.perform({ tool: "look", args: { at: "z" } }, async () => Promise.reject(new Error("no")));
    await behest.revoke(await signCut({ principal: "alice" }, { reason: "she left" }, behest.revoker));
    await bob.perform({ tool: "look", args: { at: "after" } }, async () => "seen");
    await alice.perform({ tool: "look", args: {} }, async () => "never").catch(() => {});
    await behest.records.get(0);
    return new Office(behest, readStore(store));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.behest.close();
  }
}
