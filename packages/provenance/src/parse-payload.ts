import { type Json, canonical, parseJson } from "@behest/jws";
import { ProvenanceError, refusing } from "./error.ts";
import type {
  AccessEntry,
  ActionEntry,
  ApprovalEntry,
  DecisionEntry,
  DelegationEntry,
  EntryFinding,
  EntryPayload,
  EntryType,
  ErasureEntry,
  HoldEntry,
  InteractionEntry,
  MandateEntry,
  OutcomeEntry,
  OverrideEntry,
  PrincipalErasure,
  PruningEntry,
  ReleaseEntry,
  RevocationEntry,
  TrustEntry,
} from "./payload.ts";
import {
  type Check,
  type Members,
  bytes32,
  closed,
  count,
  isObject,
  list,
  matching,
  seconds,
  some,
  text,
  time,
  where,
  word,
} from "./shape.ts";

const OBSERVABLE = { "enforce?": word("shadow"), "observed?": word(true) };

const APPROVALS: { readonly [kind in ApprovalEntry["kind"]]: Check } = {
  decision: entry<DecisionEntry>("approval", {
    kind: word("decision"),
    actions: list(text),
    decision: text,
    links: closed<DecisionEntry["links"]>({ actions: list(bytes32) }),
  }),
  mandate: entry<MandateEntry>("approval", {
    kind: word("mandate"),
    decision: text,
    content: closed<MandateEntry["content"]>({ terms: bytes32 }),
    links: closed<MandateEntry["links"]>({ delegation: bytes32 }),
  }),
  override: entry<OverrideEntry>("approval", {
    kind: word("override"),
    decision: text,
    content: closed<OverrideEntry["content"]>({ reason: bytes32 }),
    links: closed<OverrideEntry["links"]>({ delegation: bytes32 }),
  }),
};

const reason = closed<ErasureEntry["content"]>({ reason: bytes32 });

const ERASURES: { readonly [kind in ErasureEntry["kind"]]: Check } = {
  principal: entry<PrincipalErasure>("erasure", {
    kind: word("principal"),
    principals: some(text),
    "early?": word(true),
    content: reason,
    links: closed<PrincipalErasure["links"]>({}),
  }),
  hold: entry<HoldEntry>("erasure", {
    kind: word("hold"),
    "principals?": some(text),
    content: reason,
    links: closed<HoldEntry["links"]>({}),
  }),
  release: entry<ReleaseEntry>("erasure", {
    kind: word("release"),
    content: reason,
    links: closed<ReleaseEntry["links"]>({ hold: bytes32 }),
  }),
};

const SHAPES: { readonly [type in EntryType]: Check } = {
  trust: entry<TrustEntry>("trust", { "manifest?": text, "certificate?": text }),
  delegation: entry<DelegationEntry>("delegation", {
    jti: text,
    leaf: bytes32,
    principal: text,
    holder: bytes32,
    "issuer?": bytes32,
    depth: count,
    exp: seconds,
    iat: seconds,
    "spawn?": text,
    content: closed<DelegationEntry["content"]>({ token: bytes32, "agent?": bytes32, "task?": bytes32 }),
    links: closed<DelegationEntry["links"]>({ "parent?": bytes32, "interaction?": bytes32 }),
  }),
  interaction: entry<InteractionEntry>("interaction", {
    session: text,
    turn: text,
    model: text,
    provider: text,
    calls: list(closed<InteractionEntry["calls"][number]>({ action: text, tool: text })),
    content: closed<InteractionEntry["content"]>({
      instruction: bytes32,
      "system?": bytes32,
      tools: bytes32,
      response: bytes32,
      "alternatives?": bytes32,
      "reasoning?": bytes32,
    }),
    ...OBSERVABLE,
    links: closed<InteractionEntry["links"]>({ "delegation?": bytes32 }),
  }),
  action: entry<ActionEntry>("action", {
    action: text,
    attempt: count,
    session: text,
    tool: text,
    effect: word("read", "reversible", "irreversible"),
    boundary: word("inside", "outside"),
    verdict: word("permit", "deny", "ask"),
    findings: list(closed<EntryFinding>({ check: text, code: text, "rule?": text, "path?": text })),
    "decision?": text,
    ...OBSERVABLE,
    "policy?": bytes32,
    "trace?": closed<NonNullable<ActionEntry["trace"]>>({
      trace: matching(/^[0-9a-f]{32}$/),
      span: matching(/^[0-9a-f]{16}$/),
    }),
    content: closed<ActionEntry["content"]>({ args: bytes32, "facts?": bytes32 }),
    links: closed<ActionEntry["links"]>({
      "delegation?": bytes32,
      "interaction?": bytes32,
      "approvals?": list(bytes32),
      "override?": bytes32,
    }),
  }),
  approval: byKind(APPROVALS),
  outcome: entry<OutcomeEntry>("outcome", {
    action: text,
    attempt: count,
    outcome: word("done", "failed", "aborted", "unknown"),
    code: text,
    "credential?": text,
    "started?": time,
    "ended?": time,
    content: closed<OutcomeEntry["content"]>({ "result?": bytes32 }),
    links: closed<OutcomeEntry["links"]>({ action: bytes32, "outcome?": bytes32 }),
  }),
  revocation: entry<RevocationEntry>("revocation", {
    cut: bytes32,
    revoker: bytes32,
    scope: text,
    target: word("principal", "agent", "holder", "delegation", "tenant"),
    ids: list(text),
    "before?": seconds,
    "until?": seconds,
    content: closed<RevocationEntry["content"]>({}),
    links: closed<RevocationEntry["links"]>({}),
  }),
  erasure: byKind(ERASURES),
  access: entry<AccessEntry>("access", {
    by: text,
    what: word("records", "record", "evidence"),
    principals: list(text),
    content: closed<AccessEntry["content"]>({}),
    links: closed<AccessEntry["links"]>({}),
  }),
  pruning: entry<PruningEntry>("pruning", {
    before: time,
    ranges: some(where((value) => Array.isArray(value) && value.length === 2 && !list(count)(value as Json))),
    counts: closed<PruningEntry["counts"]>({
      "delegation?": count,
      "interaction?": count,
      "action?": count,
      "outcome?": count,
    }),
    content: closed<PruningEntry["content"]>({}),
    links: closed<PruningEntry["links"]>({}),
  }),
};

function byKind(shapes: { readonly [kind: string]: Check }): Check {
  return (value) => {
    const kind = isObject(value) ? value["kind"] : undefined;
    return typeof kind === "string" && Object.hasOwn(shapes, kind) ? shapes[kind]!(value) : "kind";
  };
}

function entry<T extends EntryPayload>(
  type: T["type"],
  members: Members<Omit<T, "v" | "type" | "at">>,
): Check {
  return closed({ v: word(1), type: word(type), at: time, ...members });
}

/**
 * Payload text of an entry → what it says, with nothing missing and nothing beside it. Refused with
 * `malformed_entry`: text that is not canonical JSON, unknown types and members, wrong member types.
 */
export function parsePayload(payload: string): EntryPayload {
  const value = refusing("malformed_entry", "an entry's payload is not JSON", () => parseJson(payload));
  if (refusing("malformed_entry", "an entry's payload is not JSON", () => canonical(value)) !== payload)
    throw new ProvenanceError("malformed_entry", "an entry's payload is not canonical JSON");
  const type = isObject(value) ? value["type"] : undefined;
  if (typeof type !== "string" || !Object.hasOwn(SHAPES, type))
    throw new ProvenanceError("malformed_entry", "an entry's type is unknown");
  const path = SHAPES[type as EntryType](value);
  if (path !== undefined)
    throw new ProvenanceError("malformed_entry", `${type}: "${path || type}" is missing or malformed`);
  const read = value as unknown as EntryPayload;
  if (read.type === "trust" && read.manifest === undefined && read.certificate === undefined)
    throw new ProvenanceError("malformed_entry", "trust: neither manifest nor certificate");
  if ((read.type === "action" || read.type === "interaction") && !isAccounted(read))
    throw new ProvenanceError(
      "malformed_entry",
      `${read.type}: it is neither under a delegation, nor marked as observed where nothing was enforced`,
    );
  return read;
}

/** Under a delegation and, as an action, decided by its holder; or observed under shadow. Never something of both. */
function isAccounted(entry: ActionEntry | InteractionEntry): boolean {
  const delegated = entry.links.delegation !== undefined;
  if (entry.type === "action" && (entry.decision !== undefined) !== delegated) return false;
  return entry.observed === true ? !delegated && entry.enforce === "shadow" : delegated;
}
