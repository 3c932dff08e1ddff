import { type PublicKey, type Signer, signCompact, thumbprint } from "@behest/jws";
import { readClaims } from "./claims.ts";
import { ProvenanceError } from "./error.ts";
import type { Commitment } from "./payload.ts";
import { type Check, bytes32, closed, count, list, text, word } from "./shape.ts";

const TYP = "behest-override+jwt";

/** The group of the trust manifest whose persons may sign overrides. */
export const BREAK_GLASS = "break-glass";
/** How long an override is in force at most, seconds. */
export const LONGEST_OVERRIDE = 3600;

/**
 * What a person of {@link BREAK_GLASS} signs in an emergency: what policies deny or want approved goes ahead, for
 * whoever acts under one delegation, until `exp`. A denial of the same override ends it.
 */
export interface OverrideStatement {
  readonly v: 1;
  readonly decision: "approve" | "deny";
  /** SHA-256 of a token's signing input: it holds for the chains in which that token is. */
  readonly leaf: string;
  /** Absent: all that are delegated. */
  readonly tools?: readonly string[];
  /** Commitment to the reason under a random salt, so that it also names the override. */
  readonly reason: Commitment;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
}

const shape: Check = closed<OverrideStatement>({
  v: word(1),
  decision: word("approve", "deny"),
  leaf: bytes32,
  "tools?": list(text),
  reason: bytes32,
  iat: count,
  exp: count,
});

/** Runs where the person's key is, never where agents run. The header's `kid` is the key's thumbprint. */
export async function signOverrideStatement(statement: OverrideStatement, signer: Signer): Promise<string> {
  return signCompact({ typ: TYP, kid: thumbprint(signer.jwk) }, { ...statement }, signer);
}

/** What this person signed. Throws `signature_invalid`, and `malformed_approval`, also where it is to hold for too long. */
export async function readOverride(jws: string, key: PublicKey): Promise<OverrideStatement> {
  const said = await readClaims<OverrideStatement>(jws, key, { typ: TYP, code: "malformed_approval", shape });
  if (said.decision === "approve" && said.exp - said.iat > LONGEST_OVERRIDE)
    throw new ProvenanceError("malformed_approval", "an override holds for an hour at most");
  return said;
}
