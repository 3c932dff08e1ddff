export { type AddCheckpoint, parseAddCheckpoint, printAddCheckpoint } from "./add-checkpoint.ts";
export {
  type ApprovalContext,
  type ApprovalStatement,
  MOST_ACTIONS,
  approverOf,
  readApproval,
  signApproval,
} from "./approval.ts";
export { MAX_BUNDLE, type EvidenceBundle, type Opened, readBundle } from "./bundle.ts";
export { type Certificate, certifyEntryKey, readCertificate } from "./certificate.ts";
export {
  type Checkpoint,
  type ParsedCheckpoint,
  headOf,
  parseAnyCheckpoint,
  parseCheckpoint,
  parseHead,
  signCheckpoint,
  signedBy,
  verifyCheckpoint,
} from "./checkpoint.ts";
export { commit, opens } from "./commitment.ts";
export { type Cut, type CutTarget, readCut, revokerOf, signCut, targetOfSubject } from "./cut.ts";
export { type Cosignature, cosign, cosignaturesOf } from "./cosignature.ts";
export { readActionDecision, signActionDecision } from "./decision.ts";
export { type Entry, MAX_ENTRY, entryHash, parseEntry, signEntry, verifyEntry } from "./entry.ts";
export { type ProvenanceCode, ProvenanceError } from "./error.ts";
export {
  type Approver,
  type Changes,
  type Deployer,
  type Enforcer,
  type IndexRange,
  type Issuer,
  type Keeper,
  type Manifest,
  type Revoker,
  type Rung,
  type Witness,
  anchorsOf,
  issuersOf,
  retentionOf,
  rolesAt,
  speaksFor,
} from "./manifest.ts";
export { type MandateStatement, readMandate, signMandateStatement } from "./mandate.ts";
export { type NoteSignature, addSignature, keyId, printLine } from "./note.ts";
export {
  BREAK_GLASS,
  LONGEST_OVERRIDE,
  type OverrideStatement,
  readOverride,
  signOverrideStatement,
} from "./override.ts";
export { parsePayload } from "./parse-payload.ts";
export type {
  AccessEntry,
  ActionEntry,
  ApprovalEntry,
  Commitment,
  Decision,
  DecisionEntry,
  DelegationEntry,
  EntryFinding,
  EntryHash,
  EntryPayload,
  EntryType,
  ErasureEntry,
  HoldEntry,
  InteractionEntry,
  MandateEntry,
  OutcomeEntry,
  OutcomeWord,
  OverrideEntry,
  PrincipalErasure,
  PrunedType,
  PruningEntry,
  ReleaseEntry,
  RevocationEntry,
  TrustEntry,
} from "./payload.ts";
export { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from "./proof.ts";
export { type SpanClaims, signSpanProof, verifySpanProof } from "./span-proof.ts";
export {
  type Frontier,
  type Head,
  type NodeAt,
  type TreeNode,
  appendLeaf,
  appendSubtree,
  frontierOf,
  rootOf,
  subtreesBetween,
} from "./tree.ts";
export { checkChange, countersignTrust } from "./trust-change.ts";
export { type NamedKey, type Vkey, parseVkey, printVkey } from "./vkey.ts";
export { type WitnessPolicy, parseWitnessPolicy } from "./witness-policy.ts";
export { readTrust, signTrust, trustHash } from "./trust.ts";
export type { LogCheck, LogCode, LogFinding, LogReport, Witnessed } from "./log/report.ts";
export { type Hidden, type LogEvidence, type Shown, verifyLog } from "./log/verify.ts";
