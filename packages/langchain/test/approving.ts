import { type AatTools, type RestrictionRequest, is, issueDelegation } from "@behest/delegation";
import { type OpenOptions, type Session, signDecision } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { expect } from "vitest";
import { AIMessage, type BaseMessage, tool } from "langchain";
import { z } from "zod";
import { type WantedCall, calling, deciding, told } from "./support.ts";

const any: AatTools[string] = { "*": is.any.constraint };
export const granted: AatTools = { pay: any, look: any };

/** A deployment in which each `pay` has to be approved by finance; what it paid; how a person decides. */
export async function approving(approvals: RestrictionRequest["approvals"] = { pay: { finance: 1 } }) {
  const behest = await testBehest();
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
      ...(approvals && { approvals }),
    },
    signer,
  );
  const paid: number[] = [];
  const pay = tool(async ({ amount }) => `paid ${paid.push(amount)}`, {
    name: "pay",
    description: "d",
    schema: z.object({ amount: z.number() }),
  });
  const looks: string[] = [];
  const look = tool(async ({ at }) => `saw ${looks.push(at)}`, {
    name: "look",
    description: "d",
    schema: z.object({ at: z.string() }),
  });
  const open = (options?: OpenOptions): Promise<Session> => behest.open(delegation, options);
  return { behest, delegation, open, pay, paid, look, looks, decide: deciderOf(behest) };
}

/** Decides on what waits with these amounts; by default on all. */
function deciderOf(behest: TestBehest) {
  return async (decision: "approve" | "deny", ...amounts: number[]): Promise<void> => {
    const waiting = (await behest.approvals.list({ group: "finance" })).filter(
      ({ args }) => amounts.length === 0 || amounts.includes((args as { amount: number }).amount),
    );
    expect(waiting).not.toEqual([]);
    for (const approval of waiting)
      await behest.approvals.submit(
        approval.id,
        await signDecision(approval, { decision }, behest.approver("finance")),
      );
  };
}

export const config = { configurable: { thread_id: "thread-1" } };

/** Makes these calls in one turn, then answers with what it was told. */
export function callingOnce(...calls: WantedCall[]) {
  return deciding((messages) => {
    const results = messages.filter(({ type }) => type === "tool");
    return results.length > 0 ? new AIMessage(told(results).join("; ")) : calling(...calls);
  });
}

export const payment = (amount: number, id?: string): WantedCall => ({
  name: "pay",
  args: { amount },
  ...(id !== undefined && { id }),
});

export const answer = ({ messages }: { messages: BaseMessage[] }): string | undefined =>
  messages.at(-1)?.text;
