import { CodedError, type PublicKey, publicKey, splitCompact, thumbprint } from "@behest/jws";
import {
  type ActionEntry,
  type DelegationEntry,
  type EvidenceBundle,
  type LogReport,
  type SpanClaims,
  parseHead,
  readCertificate,
  readTrust,
  verifyLog,
  verifySpanProof,
} from "@behest/provenance";
import { type WireSpan, spansIn } from "./otlp.ts";
import { entriesOf } from "./parts.ts";

/**
 * What a span is worth beside the log. `record without span`: dropped or sampled out, which is normal. `span without
 * record`: an alarm. `record not shown`: the bundle hides entries, and its record may be among them.
 */
export type SpanState =
  | "verified"
  | "altered"
  | "record without span"
  | "span without record"
  | "record not shown";

export interface SpanFinding {
  readonly state: SpanState;
  /** Trace and span id, lower-case hex. */
  readonly trace: string;
  readonly span: string;
  /** Index of the action's entry, where one is known. */
  readonly index?: number;
  /** What does not agree. */
  readonly message?: string;
}

export interface SpanReport {
  /** The log holds, and no span is altered or without a record. */
  readonly ok: boolean;
  readonly log: LogReport;
  readonly findings: readonly SpanFinding[];
  /** `behest.head` of each verified span: heads that the trace back end has kept. */
  readonly heads: readonly string[];
}

interface Recorded {
  readonly index: number;
  readonly entry: ActionEntry;
  readonly delegation: DelegationEntry | undefined;
}

/**
 * Compares spans with the records of a bundle, in both directions, and the heads that they carry with its log, where it is
 * whole. `otlp`: text of an OTLP/JSON export. Undefined where that is none. Spans that claim nothing of ours are passed over.
 */
export async function verifySpans(
  otlp: string,
  bundle: EvidenceBundle,
  { owner }: { readonly owner: string },
): Promise<SpanReport | undefined> {
  const spans = spansIn(otlp);
  if (!spans) return undefined;
  const { log: entries, checkpoint, cosigned } = bundle;
  const held = cosigned === undefined ? {} : { cosigned: [cosigned] };
  const alone = await verifyLog({ entries, checkpoint, owner, ...held });
  const { keys, records } = await readBundleFor(bundle, alone, owner);
  const findings: SpanFinding[] = [];
  const heads: string[] = [];
  const met = new Set<string>();
  for (const span of spans) {
    if (!span.attributes.has("behest.proof") && !span.attributes.has("behest.action")) continue;
    const claims = await claimsOf(span, keys);
    const { trace, span: id } = span;
    if (typeof claims === "string") findings.push({ state: "altered", trace, span: id, message: claims });
    else {
      const record = records.get(claims.entry);
      const message = record && differences(claims, record, span);
      if (!record)
        findings.push({
          state: alone.hidden > 0 ? "record not shown" : "span without record",
          trace,
          span: id,
        });
      else if (message !== undefined)
        findings.push({ state: "altered", trace, span: id, index: record.index, message });
      else {
        met.add(claims.entry);
        heads.push(claims.head);
        findings.push({ state: "verified", trace, span: id, index: record.index });
      }
    }
  }
  for (const [hash, { index, entry }] of records)
    if (entry.trace && !met.has(hash))
      findings.push({
        state: "record without span",
        trace: entry.trace.trace,
        span: entry.trace.span,
        index,
      });
  // What back ends have kept is held against the log, where it is whole: a part need not be cut at these sizes.
  const kept = alone.hidden > 0 ? [] : [...new Set(heads)].map(parseHead);
  const log = kept.length > 0 ? await verifyLog({ entries, checkpoint, owner, ...held, heads: kept }) : alone;
  const alarming = findings.some(({ state }) => state === "altered" || state === "span without record");
  return { ok: log.ok && !alarming, log, findings, heads };
}

/** The entry keys that the owner's manifests certify, and the actions of entries in which nothing failed. */
async function readBundleFor(
  bundle: EvidenceBundle,
  log: LogReport,
  owner: string,
): Promise<{ keys: Map<string, PublicKey>; records: Map<string, Recorded> }> {
  const failed = new Set(log.findings.flatMap(({ index, state }) => (state === "failed" ? [index] : [])));
  const keys = new Map<string, PublicKey>();
  const records = new Map<string, Recorded>();
  const delegations = new Map<string, DelegationEntry>();
  let manifest;
  for (const { index, hash, payload } of entriesOf(bundle)) {
    if (failed.has(index) || index >= log.size || log.completeness === "not consistent") continue;
    if (payload.type === "trust") {
      if (payload.manifest !== undefined) manifest = await readTrust(payload.manifest, owner);
      if (payload.certificate === undefined || !manifest) continue;
      const { jwk } = await readCertificate(payload.certificate, manifest, index);
      keys.set(thumbprint(jwk), publicKey(jwk));
    } else if (payload.type === "delegation") delegations.set(hash, payload);
    else if (payload.type === "action")
      records.set(hash, {
        index,
        entry: payload,
        delegation: delegations.get(payload.links.delegation ?? ""),
      });
  }
  return { keys, records };
}

const SAID = ["action", "verdict", "principal", "delegation", "entry", "head"] as const;

/** What its proof says, where an entry key signed that and the span repeats it; else what is wrong with it. */
async function claimsOf(
  { trace, span, attributes }: WireSpan,
  keys: ReadonlyMap<string, PublicKey>,
): Promise<SpanClaims | string> {
  const proof = attributes.get("behest.proof");
  if (proof === undefined) return "its proof is gone";
  try {
    const key = keys.get(String(splitCompact(proof).header["kid"]));
    if (!key) return "no entry key of this log signed it";
    const claims = await verifySpanProof(proof, key);
    parseHead(claims.head);
    if (claims.trace !== trace || claims.span !== span) return "its proof is another span's";
    if (attributes.get("gen_ai.tool.name") !== claims.tool) return "its tool is not what was signed";
    const other = SAID.find((name) => attributes.get(`behest.${name}`) !== claims[name]);
    return other === undefined ? claims : `behest.${other} is not what was signed`;
  } catch (error) {
    if (!CodedError.isInstance(error)) throw error;
    return "its proof does not verify";
  }
}

/** Of who acted under a delegation, whose it was; of what was only observed the log does not say. */
function differences(
  claims: SpanClaims,
  { entry, delegation }: Recorded,
  { attributes }: WireSpan,
): string | undefined {
  const same = {
    action: claims.action === entry.action,
    verdict: claims.verdict === entry.verdict,
    tool: claims.tool === entry.tool,
    delegation: claims.delegation === delegation?.jti,
    principal: !delegation || claims.principal === delegation.principal,
    trace: claims.trace === entry.trace?.trace && claims.span === entry.trace.span,
    // Not in its proof, but what a reader of spans goes by.
    enforce: attributes.get("behest.enforce") === entry.enforce,
    observed: attributes.get("behest.observed") === (entry.observed && "true"),
    override: attributes.get("behest.override") === entry.links.override,
  };
  const other = Object.entries(same).find(([, equal]) => !equal)?.[0];
  return other === undefined ? undefined : `its ${other} is not that of its record`;
}
