import { type PublicKey, type Signer, signCompact, thumbprint } from "@behest/jws";
import { readClaims } from "./claims.ts";
import type { Commitment } from "./payload.ts";
import { type Check, bytes32, closed, count, text, where, word } from "./shape.ts";

const TYP = "behest-mandate+jwt";

/**
 * What a person signs ahead of actions: so many of one tool, by whoever acts under one delegation, until `exp`, stand
 * approved by the group. A denial of the same mandate ends it.
 */
export interface MandateStatement {
  readonly v: 1;
  readonly decision: "approve" | "deny";
  /** SHA-256 of a token's signing input: it holds for the chains in which that token is. */
  readonly leaf: string;
  readonly tool: string;
  /** How many actions, at least 1. */
  readonly count: number;
  /**
   * Commitment to what else bounds them (arguments, amounts), which may be personal. Its salt is random, so that it
   * also names the mandate.
   */
  readonly terms: Commitment;
  readonly group: string;
  /** Digest of the policies under which it holds; absent: where there are none. */
  readonly policy?: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
}

const shape: Check = closed<MandateStatement>({
  v: word(1),
  decision: word("approve", "deny"),
  leaf: bytes32,
  tool: text,
  count: where((value) => count(value) === undefined && value !== 0),
  terms: bytes32,
  group: text,
  "policy?": bytes32,
  iat: count,
  exp: count,
});

/** Runs where the approver's key is, never where agents run. The header's `kid` is the key's thumbprint. */
export async function signMandateStatement(statement: MandateStatement, approver: Signer): Promise<string> {
  return signCompact({ typ: TYP, kid: thumbprint(approver.jwk) }, { ...statement }, approver);
}

/** What this approver signed. Throws `signature_invalid`, `malformed_approval`. */
export async function readMandate(jws: string, key: PublicKey): Promise<MandateStatement> {
  return readClaims<MandateStatement>(jws, key, { typ: TYP, code: "malformed_approval", shape });
}
