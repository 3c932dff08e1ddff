// For tests: a deployment whose delegation wants a person to approve each payment, and whose agents do not wait.
import { type Delegation, issueDelegation } from "@behest/delegation";
import { expect } from "vitest";
import { callTool } from "../src/adapter.ts";
import { signDecision } from "../src/approval/approval.ts";
import type { BehestConfig } from "../src/behest.ts";
import type { BehestError } from "../src/error.ts";
import { type TestBehest, testBehest } from "../src/testing.ts";
import type { OpenOptions, Session } from "../src/types.ts";

export const tools = { pay: {}, look: {} };

export interface Deferring {
  readonly behest: TestBehest;
  readonly root: Delegation;
  open(options?: OpenOptions): Promise<Session>;
  decide(decision?: "approve" | "deny"): Promise<void>;
  /** What has been paid. */
  readonly paid: unknown[];
  /** Pays, and answers with what that rejected with. */
  pay(session: Session, call?: object): Promise<BehestError>;
}

export async function deferring(config: Partial<BehestConfig> = {}): Promise<Deferring> {
  const behest = await testBehest(config);
  const { iss, signer } = behest.issuer;
  const now = Math.floor((config.clock ?? Date.now)() / 1000);
  const claims = {
    issuer: iss,
    holder: behest.holder.jwk,
    principal: "alice",
    task: "t",
    tools,
    now,
  } as const;
  const root = await issueDelegation(
    { ...claims, expiresIn: "2d", maxDepth: 4, approvals: { pay: { finance: 1 } } },
    signer,
  );
  const paid: unknown[] = [];
  return {
    behest,
    root,
    paid,
    open: (options) => behest.open(root, { run: "chat-1", waiting: "defer", ...options }),
    async decide(decision = "approve") {
      const waiting = await behest.approvals.list();
      expect(waiting).not.toEqual([]);
      for (const one of waiting) {
        const signed = await signDecision(one, { decision }, behest.approver("finance"));
        await behest.approvals.submit(one.id, signed);
      }
    },
    async pay(session, call = {}) {
      const whole = { tool: "pay", callId: "1", turn: "t", args: { amount: 5 }, ...call };
      const made = callTool(session, whole, async (args) => `paid ${paid.push(args)}`);
      return made.then(
        (value) => expect.unreachable(`it answered ${value}`),
        (error: BehestError) => error,
      );
    },
  };
}
