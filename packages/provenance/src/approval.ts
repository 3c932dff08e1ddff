import { type PublicKey, type Signer, canonical, signCompact, splitCompact, thumbprint } from "@behest/jws";
import { readClaims } from "./claims.ts";
import { ProvenanceError, refusing } from "./error.ts";
import type { Commitment } from "./payload.ts";
import { type Check, bytes32, closed, count, list, text, word } from "./shape.ts";

const TYP = "behest-approval+jwt";
/** Pending actions that one signature decides on at most. */
export const MOST_ACTIONS = 64;

/** One pending action as it was asked for; `nonce` was made by the enforcement point then. */
export interface ApprovalContext {
  readonly action: string;
  /** SHA-256 of the leaf's signing input: the chain that asks. */
  readonly leaf: string;
  readonly tool: string;
  readonly args: Commitment;
  readonly nonce: string;
  /** Digest of the policies under which it was asked, where there were any. */
  readonly policy?: string;
}

/**
 * What an approver signs: a decision on one pending action or on a plan of several, 1 to {@link MOST_ACTIONS}, each
 * once. Good for one group, once for each action, until `exp`.
 */
export interface ApprovalStatement {
  readonly v: 1;
  readonly decision: "approve" | "deny";
  readonly about: readonly ApprovalContext[];
  readonly group: string;
  /** Commitment under the salt of the first action's arguments. */
  readonly reason?: Commitment;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
}

const contexts = list(
  closed<ApprovalContext>({
    action: text,
    leaf: bytes32,
    tool: text,
    args: bytes32,
    nonce: bytes32,
    "policy?": bytes32,
  }),
);

/** At least one, not too many, and no action twice. */
const plan: Check = (value) => {
  const path = contexts(value);
  if (path !== undefined) return path;
  const actions = (value as unknown as readonly ApprovalContext[]).map(({ action }) => action);
  const distinct = new Set(actions).size;
  return distinct === actions.length && distinct >= 1 && distinct <= MOST_ACTIONS ? undefined : "";
};

const shape: Check = closed<ApprovalStatement>({
  v: word(1),
  decision: word("approve", "deny"),
  about: plan,
  group: text,
  "reason?": bytes32,
  iat: count,
  exp: count,
});

/** Runs where the approver's key is, never where agents run. The header's `kid` is the key's thumbprint. */
export async function signApproval(statement: ApprovalStatement, approver: Signer): Promise<string> {
  return signCompact({ typ: TYP, kid: thumbprint(approver.jwk) }, canonical(statement), approver);
}

/** Thumbprint of the key that it says it is signed with: to look up, never to trust. Throws `malformed_approval`. */
export function approverOf(jws: string): string {
  const kid = refusing("malformed_approval", "not a signed approval", () => splitCompact(jws).header["kid"]);
  if (typeof kid !== "string") throw new ProvenanceError("malformed_approval", "an approval names no key");
  return kid;
}

/** What this approver signed. Throws `signature_invalid`, `malformed_approval`. */
export async function readApproval(jws: string, key: PublicKey): Promise<ApprovalStatement> {
  return readClaims<ApprovalStatement>(jws, key, { typ: TYP, code: "malformed_approval", shape });
}
