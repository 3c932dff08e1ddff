export type { Alert, AlertOptions } from "./alert/alert.ts";
export {
  type Approval,
  type ApprovalDecision,
  type Ask,
  type Need,
  signDecision,
} from "./approval/approval.ts";
export { currentSession, useCredential } from "./session/ambient.ts";
export type { BehestConfig } from "./behest.ts";
export { type LocalConfig, createBehest } from "./config.ts";
export type { Deferred, DeferredOutcome } from "./deferred/deferral.ts";
export type { Credentials } from "./deployment.ts";
export type { EraseRequest, Erasure, Remaining } from "./erasure/erase.ts";
export type { PruneRequest, Pruned } from "./prune/prune.ts";
export type { Hold, HoldRequest, Holds } from "./erasure/holds.ts";
export { BehestError, type Code } from "./error.ts";
export type { ApprovalStats, RuleStats } from "./approval/fatigue.ts";
export { readKeyFile } from "./keyfile.ts";
export { LOCAL_FOLDER, type Local, findLocal } from "./local.ts";
export type { AheadInForce, MandateInForce, OverrideInForce } from "./approval/in-force.ts";
export {
  type Mandate,
  type MandateRequest,
  type SignedMandate,
  draftMandate,
  signMandate,
} from "./approval/mandate.ts";
export { type McpAnnotations, profileFromMcp } from "./profile/mcp.ts";
export { type Boundary, type Profile, withProfile } from "./profile/profile.ts";
export { type Profiles, readProfiles } from "./profile/profiles.ts";
export type { EvidenceFilter } from "./evidence/export.ts";
export type { OcsfEvent } from "./record/ocsf.ts";
export { type Reader, readStore } from "./record/reader.ts";
export type { Access, Reading } from "./record/reading.ts";
export { memoryStore } from "./store/memory.ts";
export { sqliteStore } from "./store/sqlite/store.ts";
export {
  type Override,
  type OverrideRequest,
  type SignedOverride,
  draftOverride,
  signOverride,
} from "./approval/override.ts";
export {
  type Feed,
  type FeedHead,
  type FeedPage,
  type FeedRow,
  type NewCut,
  headAfter,
} from "./revocation/feed.ts";
export type { Revocation } from "./revocation/listing.ts";
export { restoreCuts } from "./revocation/restore.ts";
export type { Store } from "./store/types.ts";
export { type CutTarget, signCut } from "@behest/provenance";
export type { WitnessAt, WitnessesConfig } from "./witness/config.ts";
export type { Witnessed } from "./witness/witnessed.ts";
export type { Trust } from "./trust.ts";
export type {
  Action,
  ActionRecord,
  Approvals,
  Behest,
  DelegateRequest,
  Finding,
  FullRecord,
  ObserveOptions,
  OpenOptions,
  Outcome,
  Records,
  RecordsFilter,
  Session,
  SignedCut,
  Verdict,
} from "./types.ts";
