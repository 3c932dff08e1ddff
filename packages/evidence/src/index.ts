export type { ChainSource } from "./chains.ts";
export { Chains } from "./chains.ts";
export { type Moment, verifyUnder } from "./issuer.ts";
export { type WireSpan, spansIn } from "./otlp.ts";
export type {
  Aspect,
  EvidenceApproval,
  EvidenceDelegation,
  EvidenceFinding,
  EvidencePrincipal,
  EvidenceRecord,
  EvidenceReport,
  SignedApproval,
  State,
} from "./report.ts";
export { type SpanFinding, type SpanReport, type SpanState, verifySpans } from "./spans.ts";
export { type EvidenceOptions, verifyEvidence } from "./verify.ts";
export { type ReportOptions, renderReport } from "./page/page.ts";
