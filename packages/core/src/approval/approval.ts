import type { Json, Signer } from "@behest/delegation";
import { canonical, parseJson, randomBytes, splitCompact, toBase64url } from "@behest/jws";
import {
  type ApprovalContext,
  type ApprovalEntry,
  type ApprovalStatement,
  MOST_ACTIONS,
  commit,
  opens,
  signApproval,
} from "@behest/provenance";
import { BehestError } from "../error.ts";

/** How many persons of a group have to approve. */
export interface Need {
  readonly group: string;
  readonly persons: number;
}

/** One pending action, as a person of one group is asked to decide on it. Plain JSON. */
export interface Approval {
  /** The action's id. */
  readonly id: string;
  readonly tool: string;
  /** Exactly what the tool's body would get. */
  readonly args: Json;
  /** Why it waits. */
  readonly why: string;
  readonly group: string;
  /** Persons of the group who have to approve. */
  readonly need: number;
  /** Those of them who have. */
  readonly approved: number;
  /** ms since the epoch; nobody can approve afterwards. */
  readonly expires: number;
  /** On whose behalf, and what is said of who asks. */
  readonly principal: string;
  readonly agent: string;
  /** What a decision is signed over, and the salt that shows that its `args` are these. */
  readonly about: ApprovalContext;
  readonly salt: string;
}

/** What is kept of an ask, sealed: an {@link Approval} for each group. */
export interface Asked extends Omit<Approval, "id" | "group" | "need" | "approved" | "expires"> {
  readonly needs: readonly Need[];
  /** Stands for the arguments before they were parsed, where those are known. */
  readonly given?: string;
  /** Its agent does not wait: the call was answered with a receipt, and is made later. */
  readonly deferred?: DeferredCall;
}

/** Where a call stands that is made when nobody makes it any more. */
export interface DeferredCall {
  readonly callId: string;
  readonly turn: string;
  /** Action ids of the spawns that led to it, "/" between. */
  readonly path: string;
  /** The model turn that chose it, where one did: what answered, and the place of its entry. */
  readonly chosen?: { readonly model: string; readonly index: number; readonly hash: string };
}

/** What a person signed: a compact JWS, `typ` `behest-approval+jwt`. */
export interface ApprovalDecision {
  readonly jws: string;
}

/** Where an action waits; plain JSON, to keep with the thread. */
export interface Ask {
  /** Its {@link Approval.id}. */
  readonly approval: string;
  /** How the framework's own pause is taken up again. */
  readonly resumeId: string;
  readonly tool: string;
}

export function newNonce(): string {
  return toBase64url(randomBytes(32));
}

/**
 * Signs a person's decision on exactly this action with exactly these arguments, or on a plan: several actions that one
 * group was asked for, 64 at most, by one signature that holds until the first of them expires. Runs on the approver's
 * side, never in a process that runs agents. Throws `approval_invalid` where what is shown is not what would be signed,
 * or is no plan.
 */
export async function signDecision(
  approvals: Approval | readonly Approval[],
  decision: { readonly decision: "approve" | "deny"; readonly reason?: string },
  approver: Signer,
): Promise<ApprovalDecision> {
  const plan: readonly Approval[] = [approvals].flat();
  const [first] = plan;
  if (!first || plan.length > MOST_ACTIONS || new Set(plan.map(({ id }) => id)).size < plan.length)
    throw invalid(`a plan has 1 to ${MOST_ACTIONS} actions, each once`);
  if (plan.some(({ group }) => group !== first.group)) throw invalid("a plan is for one group");
  if (!plan.every(isAsShown))
    throw invalid("the tool or the arguments that are shown are not what a signature would cover");
  const statement: ApprovalStatement = {
    v: 1,
    decision: decision.decision,
    about: plan.map(({ about }) => about),
    group: first.group,
    ...(decision.reason !== undefined && { reason: commit(first.salt, decision.reason) }),
    iat: Math.floor(Date.now() / 1000),
    exp: Math.ceil(Math.min(...plan.map(({ expires }) => expires)) / 1000),
  };
  return { jws: await signApproval(statement, approver) };
}

function isAsShown({ about, salt, args, tool, id }: Approval): boolean {
  return about.action === id && about.tool === tool && opens(about.args, salt, canonical(args));
}

/** What the statement in an entry says; it was verified when it was handed in. */
export function saidIn({ decision }: Pick<ApprovalEntry, "decision">): unknown {
  return (parseJson(splitCompact(decision).payload) as { readonly decision?: unknown }).decision;
}

/** What is not signed, or not taken. */
export function invalid(what: string, cause?: unknown): BehestError {
  const options = cause === undefined ? undefined : { cause };
  return new BehestError("approval_invalid", `approval_invalid: ${what}.`, options);
}
