import { thumbprint } from "@behest/jws";
import type { DelegationEntry } from "@behest/provenance";
import type { FullRecord } from "../types.ts";

/** Version of the schema that {@link ocsfEvent} is written for: the first with `delegation`. */
const OCSF_VERSION = "1.9.0";

/** One action as an event of the Open Cybersecurity Schema Framework: API Activity (6003). */
export interface OcsfEvent {
  readonly [attribute: string]: string | number | object;
}

type Enumerated = readonly [id: number, caption: string];

const API_ACTIVITY = 6003;

/**
 * API Activity with the profiles `ai_operation` (whose `delegation` says under what it was done), `security_control` and
 * `trace`. It has what `behest records` shows, and ids; no arguments and no results. `origin`: the log's name.
 */
export function ocsfEvent(record: Omit<FullRecord, "content">, origin: string): OcsfEvent {
  const { principal, agent, tool, verdict, code, outcome, at, action, session, index, entries } = record;
  const { delegations, interaction, action: entry, outcome: ended } = entries;
  const leaf = delegations.at(-1);
  const activity: Enumerated = entry.effect === "read" ? [2, "Read"] : [99, entry.effect];
  const { decided, disposition } = decisionOf(record);
  return {
    category_uid: 6,
    category_name: "Application Activity",
    class_uid: API_ACTIVITY,
    class_name: "API Activity",
    type_uid: API_ACTIVITY * 100 + activity[0],
    type_name: `API Activity: ${activity[0] === 99 ? "Other" : activity[1]}`,
    ...enumerated("activity_id", "activity_name", activity),
    ...enumerated("action_id", "action", decided),
    ...enumerated("disposition_id", "disposition", disposition),
    ...enumerated("severity_id", "severity", severityOf(record)),
    ...enumerated("status_id", "status", statusOf(record)),
    status_code: ended?.code ?? code,
    time: at,
    ...(ended?.started !== undefined && { start_time: Date.parse(ended.started) }),
    ...(ended?.ended !== undefined && { end_time: Date.parse(ended.ended) }),
    message: `${tool}: ${verdict}${outcome === undefined ? "" : `, ${outcome}`}`,
    metadata: {
      version: OCSF_VERSION,
      product: { name: "Behest", vendor_name: "Behest" },
      profiles: ["ai_operation", "security_control", ...(entry.trace ? ["trace"] : [])],
      uid: `${origin}#${index}`,
      log_name: origin,
      sequence: index,
      // A session's id begins with its run's.
      correlation_uid: session.split(".")[0]!,
      original_time: entry.at,
    },
    actor: { user: { name: principal, ...(leaf && { uid: leaf.principal }) } },
    // Which machine it came from stands in no record.
    src_endpoint: { name: agent, instance_uid: session },
    api: { operation: tool, request: { uid: action } },
    ai_agent: {
      name: agent,
      instance_uid: session,
      ...(leaf && { uid: holderOf(leaf) }),
      ...(interaction && { ai_model: { name: interaction.model, ai_provider: interaction.provider } }),
    },
    ...(leaf && { delegation: delegationOf(leaf, delegations.at(-2)) }),
    authorizations: entry.findings.map((finding) => ({
      decision: finding.code,
      policy: { name: finding.rule ?? finding.check },
    })),
    ...(entry.policy !== undefined && { policy: { uid: entry.policy } }),
    ...(entry.trace && { trace: { uid: entry.trace.trace } }),
    unmapped: {
      attempt: entry.attempt,
      boundary: entry.boundary,
      effect: entry.effect,
      ...(leaf && { depth: leaf.depth }),
      ...(entry.enforce && { enforce: entry.enforce }),
      ...(entry.observed && { observed: true }),
      ...(outcome !== undefined && { outcome }),
      ...(entry.trace && { span: entry.trace.span }),
      verdict,
    },
  };
}

/** `issuer_uid`: thumbprint of the key that signed it: the issuer's, or that of the holder of its parent. */
function delegationOf(leaf: DelegationEntry, parent: DelegationEntry | undefined): object {
  const issuer = leaf.issuer ?? (parent && holderOf(parent));
  return {
    uid: leaf.jti,
    ...(parent && { parent_uid: parent.jti }),
    ...(issuer !== undefined && { issuer_uid: issuer }),
    created_time: Number(leaf.iat) * 1000,
  };
}

function holderOf({ holder }: DelegationEntry): string {
  return thumbprint({ kty: "OKP", crv: "Ed25519", x: holder });
}

/** What was permitted only because nothing was enforced is neither allowed nor denied. */
function decisionOf({ verdict, code, observed }: FullRecordFacts): {
  readonly decided: Enumerated;
  readonly disposition: Enumerated;
} {
  if (verdict === "deny") return { decided: [2, "Denied"], disposition: [2, "Blocked"] };
  if (verdict === "ask") return { decided: [99, "ask"], disposition: [14, "Delayed"] };
  if (observed || (code !== "ok" && code !== "break_glass"))
    return { decided: [3, "Observed"], disposition: [17, "Logged"] };
  return { decided: [1, "Allowed"], disposition: [1, "Allowed"] };
}

type FullRecordFacts = Pick<FullRecord, "verdict" | "code" | "observed" | "outcome">;

/** Break-glass, and what nobody knows the end of, wants somebody to look. */
function severityOf({ verdict, code, outcome }: FullRecordFacts): Enumerated {
  if (code === "break_glass" || outcome === "unknown") return [3, "Medium"];
  return verdict === "deny" ? [2, "Low"] : [1, "Informational"];
}

function statusOf({ verdict, outcome }: FullRecordFacts): Enumerated {
  if (outcome === "done") return [1, "Success"];
  return verdict === "deny" || outcome === "failed" || outcome === "aborted"
    ? [2, "Failure"]
    : [0, "Unknown"];
}

function enumerated(
  id: string,
  caption: string,
  [value, text]: Enumerated,
): { [name: string]: string | number } {
  return { [id]: value, [caption]: text };
}
