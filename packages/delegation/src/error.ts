import { CodedError } from "@behest/jws";

export type DelegationCode =
  /** A chain, token or claim is not what the format demands, or over a size limit. */
  | "malformed_delegation"
  /** A constraint is not well-formed, of an unknown type, or over a limit. */
  | "malformed_grant"
  /** `alg`, `typ` or `crit` is not acceptable. */
  | "header_refused"
  | "signature_invalid"
  /** No trusted issuer's key verifies the root, its `iss` is another, or it may not assert that tenant or principal. */
  | "issuer_untrusted"
  /** An issuer's key set could not be fetched. */
  | "issuer_unreachable"
  | "delegation_expired"
  /** `iat` and `exp` contradict each other, the parent, or the clock. */
  | "lifetime_refused"
  /** Tokens do not belong together: `iss`, depth, `par_hash`, a repeated `jti`. */
  | "chain_broken"
  | "depth_exceeded"
  /** A child allows or asks for more than its parent; `wider` says where. */
  | "wider_than_parent"
  /** `sub` or `tenant` is not the same at every hop that carries it. */
  | "principal_changed"
  | "audience_refused"
  /** The root's consent is weaker than the chain demands, or of other evidence. */
  | "consent_insufficient"
  /** Its issuer's status list says revoked, or does not say valid. */
  | "revoked"
  | "tool_not_granted"
  | "argument_not_granted"
  /** Arguments are not a JSON object, or hold a number that is not exactly representable. */
  | "malformed_arguments"
  /** A proof does not fit the delegation, the call, the clock or the nonce. */
  | "proof_refused"
  | "proof_replayed"
  /** The replay cache holds as many proofs as it may. */
  | "replay_cache_full"
  /** The signing key is not the one the delegation is bound to. */
  | "holder_mismatch"
  /** An agent's attestation is not what its format demands. */
  | "malformed_attestation"
  /** No key of the deployer that an attestation names verifies it. */
  | "deployer_untrusted"
  | "attestation_expired"
  /** An access token is not one that a root may be issued from. */
  | "access_token_refused"
  | "access_token_expired"
  /** An actor token is not what its format demands, or not for whoever presents it. */
  | "actor_token_refused"
  | "actor_token_expired"
  | "actor_token_replayed"
  /** What was given is not an Ed25519 private key in a form that is read here. */
  | "malformed_key"
  /** There is no such file or variable, or it cannot be read. */
  | "key_missing"
  /** Others than this process's account can read or change a key file. */
  | "key_readable"
  /** What was passed to issue, derive or prove cannot be put in a token. */
  | "malformed_request";

/** One place where a child is wider; names constraint types and rules, never argument values. */
export interface Wider {
  /** `tools.<tool>`, `tools.<tool>.<argument>`, `exp` or `maxDepth`. */
  readonly path: string;
  readonly parent: string;
  readonly child: string;
}

export interface DelegationErrorDetail extends ErrorOptions {
  /** Step of section 8 of draft-niyikiza-oauth-attenuating-agent-tokens-02 that failed: `"3k"`, `"4p4"`, `"7f"`. */
  readonly step?: string | undefined;
  /** Index of the token in the chain, 0 = root. */
  readonly hop?: number | undefined;
  readonly wider?: readonly Wider[] | undefined;
}

/** Every failure of this package. Nothing of a token, key or argument value is in its message. */
export class DelegationError extends CodedError<DelegationCode> {
  readonly step: string | undefined;
  readonly hop: number | undefined;
  /** With `wider_than_parent`: each place where more was asked for. */
  readonly wider: readonly Wider[] | undefined;
  constructor(code: DelegationCode, message: string, detail: DelegationErrorDetail = {}) {
    super(code, message, detail);
    this.step = detail.step;
    this.hop = detail.hop;
    this.wider = detail.wider;
    Object.defineProperty(this, brand, { value: true });
  }
  /** True for errors of any copy of this package. */
  static override isInstance(error: unknown): error is DelegationError {
    return CodedError.isInstance(error) && brand in error;
  }
}

const brand = Symbol.for("behest.delegation.error");
