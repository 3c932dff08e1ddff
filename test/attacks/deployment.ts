import { type Session, signDecision, withProfile } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import {
  type AatTools,
  type Delegation,
  type RestrictionRequest,
  is,
  issueDelegation,
} from "@behest/delegation";

const any: AatTools[string] = { "*": is.any.constraint };
export const granted: AatTools = { pay: any, look: any };

/** What the shipped policies let pass, so that nobody is asked but by the delegation. */
export function contained<T extends object>(tool: T): T {
  return withProfile(tool, { effect: "reversible", boundary: "inside" });
}

/** A deployment under the shipped policies, in which a person of finance has to approve each `pay` of alice's agent. */
export interface Asking extends AsyncDisposable {
  readonly behest: TestBehest;
  readonly delegation: Delegation;
  open(run?: string): Promise<Session>;
  /** A person decides on what waits, or of it on these amounts. */
  decide(decision: "approve" | "deny", ...amounts: number[]): Promise<void>;
}

export async function asking(
  config: Parameters<typeof testBehest>[0] = {},
  restrictions: RestrictionRequest = { approvals: { pay: { finance: 1 } } },
): Promise<Asking> {
  const behest = await testBehest({ policy: "default", ...config });
  const { iss, signer } = behest.issuer;
  const delegation = await issueDelegation(
    {
      issuer: iss,
      holder: behest.holder.jwk,
      principal: "alice",
      task: "t",
      tools: granted,
      expiresIn: "1h",
      maxDepth: 4,
      now: Math.floor((config.clock ?? Date.now)() / 1000),
      ...restrictions,
    },
    signer,
  );
  return {
    behest,
    delegation,
    open: (run) => behest.open(delegation, run === undefined ? {} : { run }),
    async decide(decision, ...amounts) {
      for (const approval of await behest.approvals.list({ group: "finance" })) {
        const { amount } = approval.args as { amount: number };
        if (amounts.length > 0 && !amounts.includes(amount)) continue;
        const signed = await signDecision(approval, { decision }, behest.approver("finance"));
        await behest.approvals.submit(approval.id, signed);
      }
    },
    [Symbol.asyncDispose]: () => behest.close(),
  };
}
