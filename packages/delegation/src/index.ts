export type { Json, PrivateJwk, PublicJwk, Signer } from "@behest/jws";
export type { Anchor } from "./anchor.ts";
export { type ArgumentRefusal, type Arguments, checkArguments } from "./arguments.ts";
export { compareGrants } from "./compare.ts";
export type { AatTools, Constraint, ConstraintMap } from "./constraint.ts";
export { type Delegation, type DelegationLike, parseDelegation } from "./delegation.ts";
export { type DeriveClaims, deriveDelegation } from "./derive.ts";
export type { Duration } from "./duration.ts";
export { type DelegationCode, DelegationError, type Wider } from "./error.ts";
export { type ArgsOf, type Grant, type Grants, grants } from "./grants.ts";
export { type Holder, generateHolder, holderOf } from "./holder.ts";
export type { HopClaims } from "./hop.ts";
export { type IssueClaims, issueDelegation } from "./issue.ts";
export { DEFAULT_LIMITS, type VerificationLimits } from "./limits.ts";
export type { Explained } from "./meet-tools.ts";
export { type ActionToProve, proveAction } from "./prove.ts";
export { type Rule, is } from "./rule.ts";
export {
  type ActionOptions,
  type PresentedAction,
  type Replay,
  type VerifiedAction,
  verifyAction,
} from "./verify-action.ts";
export { type VerifiedDelegation, type VerifyOptions, verifyDelegation } from "./verify.ts";
