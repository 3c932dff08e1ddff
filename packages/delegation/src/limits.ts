/** What a verifier accepts at most (section 10 of the draft, and its appendix B.5 for the last two). */
export interface VerificationLimits {
  /** MAX_DELEGATION_DEPTH; hops below the root. Default 8. */
  readonly maxDelegationDepth: number;
  /** MAX_IAT_SKEW; seconds that `iat` may be ahead. Default 30. */
  readonly maxIatSkew: number;
  /** MAX_TOKEN_LIFETIME; seconds. Default 90 days. */
  readonly maxTokenLifetime: number;
  /** MAX_CONSTRAINT_DEPTH; nesting of `all` and `any`. Default 32. */
  readonly maxConstraintDepth: number;
  /** MAX_TOKEN_SIZE; bytes. Default 65,536. */
  readonly maxTokenSize: number;
  /** MAX_CHAIN_SIZE; bytes. Default 262,144. */
  readonly maxChainSize: number;
  /** Seconds that a proof's `iat` may differ from now, either way. Default 30. */
  readonly proofWindow: number;
  /** Tools per token. Default 256. */
  readonly maxTools: number;
  /** Constraints per tool, clauses of `all` and `any` included: bounds the work of comparing two. Default 256. */
  readonly maxConstraints: number;
}

export const DEFAULT_LIMITS: VerificationLimits = Object.freeze({
  maxDelegationDepth: 8,
  maxIatSkew: 30,
  maxTokenLifetime: 90 * 86_400,
  maxConstraintDepth: 32,
  maxTokenSize: 65_536,
  maxChainSize: 262_144,
  proofWindow: 30,
  maxTools: 256,
  maxConstraints: 256,
});
