// For tests: a deployment whose delegation wants a person to approve each payment.
import type { ModelMessage } from "ai";
import { type Session, signDecision } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { type AatTools, type Delegation, type RestrictionRequest, issueDelegation } from "@behest/delegation";

const any = { constraint_type: "wildcard" };
export const payAndRead: AatTools = { pay: { amount: any, currency: any }, read_file: { path: any } };

export interface Asking {
  readonly behest: TestBehest;
  readonly root: Delegation;
  /** The same delegation, as a run of its own or the same again. */
  open(run?: string): Promise<Session>;
}

export async function asking(
  tools: AatTools = payAndRead,
  restrictions: RestrictionRequest = { approvals: { pay: { finance: 1 } } },
): Promise<Asking> {
  const behest = await testBehest();
  const { iss, signer } = behest.issuer;
  const claims = { issuer: iss, holder: behest.holder.jwk, principal: "alice", task: "t", tools } as const;
  const root = await issueDelegation({ ...claims, expiresIn: "1h", maxDepth: 8, ...restrictions }, signer);
  return { behest, root, open: (run = "chat-1") => behest.open(root, { run }) };
}

/** A person decides on everything that waits, or on those of its arguments that `which` names. */
export async function decide(
  behest: TestBehest,
  decision: "approve" | "deny" = "approve",
  which: (args: unknown) => boolean = () => true,
): Promise<number> {
  const waiting = (await behest.approvals.list({ group: "finance" })).filter(({ args }) => which(args));
  for (const one of waiting) {
    const signed = await signDecision(one, { decision }, behest.approver("finance"));
    await behest.approvals.submit(one.id, signed);
  }
  return waiting.length;
}

/** As it comes back from a database. */
export function saved(...messages: readonly ModelMessage[]): ModelMessage[] {
  return JSON.parse(JSON.stringify(messages)) as ModelMessage[];
}
