import {
  type Attributes,
  type Context,
  type LogRecord,
  ROOT_CONTEXT,
  SeverityNumber,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import type { EntryPayload } from "@behest/provenance";

/** Characters of one attribute: back ends cut what is longer than 2,048. */
const LONGEST = 256;

interface Placed {
  readonly index: number;
  /** Leaf hash, base64url. */
  readonly hash: string;
  /** `size:root` of a checkpoint that covers it. */
  readonly head: string;
  /** Pseudonym, where it is known. */
  readonly principal: string | undefined;
}

/** An entry as a LogRecord: where it stands, and what it says in flat attributes. No content, and no name of a person. */
export function logRecordOf(payload: EntryPayload, { index, hash, head, principal }: Placed): LogRecord {
  const attributes: Attributes = {
    "behest.type": payload.type,
    "behest.index": index,
    "behest.entry": hash,
    "behest.head": head,
    ...(principal !== undefined && { "behest.principal": principal }),
    ...attributesOf(payload),
  };
  const severity = severityOf(payload);
  return {
    eventName: "behest.entry",
    timestamp: new Date(payload.at),
    severityNumber: severity,
    severityText: severity === SeverityNumber.WARN ? "WARN" : "INFO",
    body: wordsOf(payload),
    attributes,
    context: contextOf(payload),
  };
}

function attributesOf(payload: EntryPayload): Attributes {
  switch (payload.type) {
    case "action":
      return {
        "behest.action": payload.action,
        "behest.session": payload.session,
        "behest.verdict": payload.verdict,
        "behest.code": payload.findings.at(-1)?.code ?? "ok",
        "gen_ai.tool.name": payload.tool.slice(0, LONGEST),
        ...(payload.enforce && { "behest.enforce": payload.enforce }),
        ...(payload.observed && { "behest.observed": "true" }),
      };
    case "outcome":
      return {
        "behest.action": payload.action,
        "behest.outcome": payload.outcome,
        "behest.code": payload.code,
      };
    case "interaction":
      return {
        "behest.session": payload.session,
        "gen_ai.response.model": payload.model.slice(0, LONGEST),
      };
    case "delegation":
      return { "behest.delegation": payload.jti.slice(0, LONGEST) };
    case "approval":
      return { "behest.approval": payload.kind };
    case "revocation":
      return { "behest.revocation": payload.target };
    case "erasure":
      return { "behest.erasure": payload.kind };
    case "pruning":
      return { "behest.pruned": Object.values(payload.counts).reduce((sum, one) => sum + one, 0) };
    default:
      return {};
  }
}

/** Denials, what only break-glass let start, what nobody knows the end of, and cuts. */
function severityOf(payload: EntryPayload): SeverityNumber {
  const warns =
    payload.type === "revocation" ||
    (payload.type === "outcome" && payload.outcome === "unknown") ||
    (payload.type === "action" && (payload.verdict === "deny" || payload.links.override !== undefined));
  return warns ? SeverityNumber.WARN : SeverityNumber.INFO;
}

function wordsOf(payload: EntryPayload): string {
  if (payload.type === "action") return `action ${payload.verdict}`;
  if (payload.type === "outcome") return `outcome ${payload.outcome}`;
  return payload.type;
}

/** That of the action's span, where there was one; never what happens to be active while the log is read. */
function contextOf(payload: EntryPayload): Context {
  if (payload.type !== "action" || !payload.trace) return ROOT_CONTEXT;
  const { trace: traceId, span: spanId } = payload.trace;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
}
