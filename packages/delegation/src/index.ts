export type { Json, PrivateJwk, PublicJwk, Signer, WebKey, WebKeyPair } from "@behest/jws";
export { type ActClaims, type Actor, toActClaim } from "./agent/act.ts";
export type { Anchor } from "./keys/anchor.ts";
export { type ArgumentRefusal, type Arguments, checkArguments } from "./constraints/arguments.ts";
export {
  type AttestationOptions,
  type AttestClaims,
  type Attested,
  type Deployer,
  attestAgent,
  verifyAttestation,
} from "./agent/attestation.ts";
export { type ChainCache, type ChainCacheOptions, chainCache } from "./cache.ts";
export { compareGrants } from "./constraints/compare.ts";
export type { Consent } from "./token/consent.ts";
export type { AatTools, Constraint, ConstraintMap } from "./constraints/constraint.ts";
export { addDecimals, compareDecimals, isDecimal } from "./constraints/decimal.ts";
export { type Delegation, type DelegationLike, parseDelegation } from "./delegation.ts";
export { type DeriveClaims, deriveDelegation } from "./derive.ts";
export type { Duration } from "./duration.ts";
export { type DelegationCode, DelegationError, type Wider } from "./error.ts";
export { explain } from "./explain.ts";
export { type ArgsOf, type Grant, type Grants, grants } from "./grants/grants.ts";
export { type Holder, generateHolder, holderOf } from "./keys/holder.ts";
export type { HopClaims } from "./token/hop.ts";
export {
  type AgentIdentity,
  type IdentityMember,
  type IdentityMismatch,
  compareIdentity,
} from "./agent/identity.ts";
export { type IssueClaims, issueDelegation } from "./issue.ts";
export type { KeySetFetch } from "./keys/key-set.ts";
export { DEFAULT_LIMITS, type VerificationLimits } from "./limits.ts";
export type { Explained } from "./constraints/meet-tools.ts";
export { type ActionToProve, proveAction } from "./prove.ts";
export { type Replay, type ReplayCacheOptions, replayCache } from "./replay.ts";
export type { RequiredApprovals } from "./restrictions/approvals.ts";
export type { MinimumConsent, Rung } from "./restrictions/consent.ts";
export type { Effect } from "./restrictions/effects.ts";
export { type Limit, type LimitScope, type ScopedLimits, isCurrency } from "./restrictions/limits.ts";
export type { Limits, RestrictionRequest } from "./restrictions/request.ts";
export type { Restrictions } from "./restrictions/restrictions.ts";
export type { StatusReference } from "./restrictions/status.ts";
export { isInWorkspace, isWorkspace } from "./restrictions/workspace.ts";
export { type Rule, is } from "./grants/rule.ts";
export { signerFromPkcs8, signerFromWebCrypto } from "./keys/signer.ts";
export type { TermsRequest } from "./terms.ts";
export {
  type ActionOptions,
  type PresentedAction,
  type VerifiedAction,
  verifyAction,
} from "./verify-action.ts";
export { type StatusRoot, type VerifiedDelegation, type VerifyOptions, verifyDelegation } from "./verify.ts";
