import { type PublicKey, type Signer, signCompact, splitCompact, thumbprint } from "@behest/jws";
import { readClaims } from "./claims.ts";
import { ProvenanceError, refusing } from "./error.ts";
import type { Commitment } from "./payload.ts";
import { type Check, bytes32, closed, count, text, word } from "./shape.ts";

const TYP = "behest-approval+jwt";

/**
 * What an approver signs: a decision on exactly one pending action, its arguments by their commitment. Good for
 * one group, once, until `exp`; `nonce` was made by the enforcement point when it asked.
 */
export interface ApprovalStatement {
  readonly v: 1;
  readonly decision: "approve" | "deny";
  readonly action: string;
  /** SHA-256 of the leaf's signing input: the chain that asks. */
  readonly leaf: string;
  readonly tool: string;
  readonly args: Commitment;
  readonly group: string;
  readonly nonce: string;
  /** Commitment under the salt of the arguments. */
  readonly reason?: Commitment;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
}

const shape: Check = closed<ApprovalStatement>({
  v: word(1),
  decision: word("approve", "deny"),
  action: text,
  leaf: bytes32,
  tool: text,
  args: bytes32,
  group: text,
  nonce: bytes32,
  "reason?": bytes32,
  iat: count,
  exp: count,
});

/** Runs where the approver's key is, never where agents run. The header's `kid` is the key's thumbprint. */
export async function signApproval(statement: ApprovalStatement, approver: Signer): Promise<string> {
  return signCompact({ typ: TYP, kid: thumbprint(approver.jwk) }, { ...statement }, approver);
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
