import { type PublicKey, type Signer, signCompact, splitCompact, thumbprint } from "@behest/jws";
import { readClaims } from "./claims.ts";
import { ProvenanceError, atOnce, refusing } from "./error.ts";
import { type Check, bytes32, closed, matching, text, word } from "./shape.ts";

const TYP = "behest-span+jwt";
/** Some trace back ends cut attributes beyond it. */
const MAX_LENGTH = 2048;

/** What a span says of its action, signed, so that the span alone proves itself wherever it ends up. */
export interface SpanClaims {
  readonly action: string;
  readonly verdict: "permit" | "deny" | "ask";
  /** Pseudonym. */
  readonly principal: string;
  /** jti of the leaf; absent where the action was observed. */
  readonly delegation?: string;
  /** No delegation stood behind it, and nothing was enforced. */
  readonly observed?: true;
  /** Leaf hash of the action's entry. */
  readonly entry: string;
  /** `size:root`; see `headOf`. */
  readonly head: string;
  readonly tool: string;
  /** Trace and span id, lower-case hex. */
  readonly trace: string;
  readonly span: string;
}

const members: Check = closed<SpanClaims>({
  action: text,
  verdict: word("permit", "deny", "ask"),
  principal: text,
  "delegation?": text,
  "observed?": word(true),
  entry: bytes32,
  head: text,
  tool: text,
  trace: matching(/^[0-9a-f]{32}$/),
  span: matching(/^[0-9a-f]{16}$/),
});

/** It names its delegation or says that there is none. */
const shape: Check = (claims) =>
  members(claims) ??
  (Object.hasOwn(claims as object, "delegation") === Object.hasOwn(claims as object, "observed")
    ? "delegation"
    : undefined);

/** Signs a span's claims with an entry key. Synchronous: throws `signer_async`; `too_large` beyond 2,048 characters. */
export function signSpanProof(claims: SpanClaims, signer: Signer): string {
  const proof = atOnce(signCompact({ typ: TYP, kid: thumbprint(signer.jwk) }, { ...claims }, signer));
  if (proof.length > MAX_LENGTH)
    throw new ProvenanceError("too_large", "a span proof is longer than 2,048 characters");
  return proof;
}

/** The claims of a proof by this entry key. Throws `signature_invalid`, `malformed_span_proof`. */
export async function verifySpanProof(proof: string, key: PublicKey): Promise<SpanClaims> {
  const { kid } = refusing("malformed_span_proof", "not a span proof", () => splitCompact(proof)).header;
  if (kid !== thumbprint(key.jwk))
    throw new ProvenanceError("signature_invalid", "a span proof names another key");
  return readClaims<SpanClaims>(proof, key, { typ: TYP, code: "malformed_span_proof", shape });
}
