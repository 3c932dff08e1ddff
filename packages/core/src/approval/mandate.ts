import {
  type ConstraintMap,
  type DelegationLike,
  type Json,
  type Signer,
  compareGrants,
  isCurrency,
  isDecimal,
  parseDelegation,
} from "@behest/delegation";
import { canonical, randomBytes, sha256Text, splitCompact, toBase64url } from "@behest/jws";
import { type MandateStatement, commit, opens, signMandateStatement } from "@behest/provenance";
import { type ApprovalDecision, invalid } from "./approval.ts";

export interface MandateRequest {
  /** Whom it is for: the sessions in whose chain its last token is, so the agent and its sub-agents. */
  readonly delegation: DelegationLike;
  readonly tool: string;
  /** What the arguments may be; an argument that is not named is not covered. */
  readonly constraints: ConstraintMap;
  /** How many actions. */
  readonly count: number;
  /** Currency → decimal: what they may spend together. Of no other currency anything. */
  readonly amount?: { readonly [currency: string]: string };
  /** Whose approval it stands for. */
  readonly group: string;
  /** Digest of the policies under which it holds; absent: only where there are none. */
  readonly policy?: string;
  /** ms since the epoch. */
  readonly expires: number;
}

/** An open mandate, as persons are shown it and sign it. Plain JSON. */
export interface Mandate extends Pick<MandateRequest, "constraints" | "amount"> {
  /** What a signature is over. `terms`, its name, commits to constraints and amount. */
  readonly about: Omit<MandateStatement, "v" | "decision" | "iat">;
  readonly salt: string;
}

export interface SignedMandate extends ApprovalDecision {
  readonly mandate: Mandate;
}

/** Throws `approval_invalid` for what is no mandate. */
export function draftMandate(request: MandateRequest): Mandate {
  const { delegation, tool, constraints, count, amount, group, policy, expires } = request;
  const salt = toBase64url(randomBytes(32));
  const terms = { constraints, ...(amount && { amount }) };
  const mandate: Mandate = {
    about: {
      leaf: leafOf(delegation),
      tool,
      count,
      terms: commit(salt, termsText(terms)),
      group,
      ...(policy !== undefined && { policy }),
      exp: Math.floor(expires / 1000),
    },
    ...terms,
    salt,
  };
  checkMandate(mandate);
  return mandate;
}

/**
 * Signs a mandate, or ends it (`deny`): one person's denial does. Where a group needs several persons, each signs the
 * same mandate. Runs on the approver's side, never in a process that runs agents. Throws `approval_invalid` where what
 * is shown is not what would be signed.
 */
export async function signMandate(
  mandate: Mandate,
  { decision }: { readonly decision: "approve" | "deny" },
  approver: Signer,
): Promise<SignedMandate> {
  checkMandate(mandate);
  const statement: MandateStatement = {
    v: 1,
    decision,
    ...mandate.about,
    iat: Math.floor(Date.now() / 1000),
  };
  return { jws: await signMandateStatement(statement, approver), mandate };
}

/** Throws where it is not well-formed, or where its terms are not those that were committed to. */
export function checkMandate(mandate: Mandate): void {
  const { about, constraints, amount, salt } = mandate;
  const { tool, count, terms } = about;
  try {
    // Well-formed grants compare. An empty map would be any arguments, which is to be said: "*".
    compareGrants(Object.fromEntries([[tool, constraints]]), {});
    if (Object.keys(constraints).length > 0 && opens(terms, salt, termsText({ constraints, amount }))) {
      const amounts = Object.entries(amount ?? {});
      const good = amounts.every(
        ([currency, most]) => isCurrency(currency) && isDecimal(most) && !most.startsWith("-"),
      );
      if (good && Number.isSafeInteger(count) && count > 0) return;
    }
  } catch (cause) {
    throw invalid("its terms are not well-formed", cause);
  }
  throw invalid("its terms are not well-formed, or not what a signature would cover");
}

/** What a mandate's `terms` commit to. */
export function termsText({
  constraints,
  amount,
}: Pick<Mandate, "constraints"> & { amount?: Mandate["amount"] | undefined }): string {
  return canonical({ constraints, ...(amount && { amount }) } as Json);
}

/** What names a delegation in statements: the hash of its last token's signing input. Throws `approval_invalid`. */
export function leafOf(delegation: DelegationLike): string {
  try {
    const token = parseDelegation(delegation).at(-1)!;
    splitCompact(token);
    return sha256Text(token.slice(0, token.lastIndexOf(".")));
  } catch (cause) {
    throw invalid("it names no delegation", cause);
  }
}
