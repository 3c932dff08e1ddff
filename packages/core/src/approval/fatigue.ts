import { metrics } from "@opentelemetry/api";
import { toBase64url } from "@behest/jws";
import { type ActionEntry, type EntryHash, entryHash, parseEntry, parsePayload } from "@behest/provenance";
import { saidIn } from "./approval.ts";
import type { Engine } from "../store/types.ts";

/** How one rule that makes actions wait is answered. A rule is a policy (`file.cedar#id`) or the delegation's `approval`. */
export interface RuleStats {
  readonly rule: string;
  /** Actions that it made wait. */
  readonly asked: number;
  /** By their first decision. */
  readonly approved: number;
  readonly denied: number;
  /** Median ms from the ask to the first decision; absent where nobody has decided. */
  readonly median?: number;
  /**
   * Its answers are no longer read, to go by the figures: approved more than 95 times in 100, or decided within two
   * seconds, over at least {@link ENOUGH} decisions. Change the rule, or approve plans instead of steps.
   */
  readonly flags: readonly ("always_approved" | "too_fast")[];
}

export interface ApprovalStats {
  readonly asked: number;
  readonly approved: number;
  readonly denied: number;
  /** Runs in which anything waited, and how often on average in one of them. */
  readonly runs: number;
  readonly perRun: number;
  /** The most asked first. */
  readonly rules: readonly RuleStats[];
}

/** Below this many decisions a rate says nothing. */
export const ENOUGH = 20;
const OFTEN = 0.95;
const FAST = 2000;
const PAGE = 1000;

interface Waited {
  readonly at: number;
  readonly session: string;
  readonly rules: readonly string[];
  decision?: { readonly approved: boolean; readonly after: number };
}

/** From the entries of the log, so from whatever process they are. */
export async function approvalStats(engine: Engine): Promise<ApprovalStats> {
  const waited = new Map<EntryHash, Waited>();
  for (let from = 0; ; from += PAGE) {
    const page = await engine.entries(from, PAGE);
    // What was pruned is no ask and no decision.
    for (const jws of page) if (jws !== "") note(jws, waited);
    if (page.length < PAGE) return summary([...waited.values()]);
  }
}

function note(jws: string, waited: Map<EntryHash, Waited>): void {
  const payload = parsePayload(parseEntry(jws).payload);
  if (payload.type === "action" && payload.verdict === "ask")
    waited.set(toBase64url(entryHash(jws)), {
      at: Date.parse(payload.at),
      session: payload.session,
      rules: rulesOf(payload),
    });
  // What was signed ahead answers no ask.
  if (payload.type !== "approval" || payload.kind !== "decision") return;
  for (const action of payload.links.actions) {
    const asked = waited.get(action);
    if (asked && !asked.decision)
      asked.decision = { approved: saidIn(payload) === "approve", after: Date.parse(payload.at) - asked.at };
  }
}

/** Why an action waits: its findings that neither pass nor deny. */
export function rulesOf({ findings }: Pick<ActionEntry, "findings">): readonly string[] {
  return findings
    .filter(({ code }) => code === "approval_needed")
    .flatMap(({ rule, check }) => rule?.split(", ") ?? [check]);
}

function summary(waited: readonly Waited[]): ApprovalStats {
  // A session's id begins with its run's.
  const runs = new Set(waited.map(({ session }) => session.split(".")[0])).size;
  const rules = new Map<string, Waited[]>();
  for (const one of waited) for (const rule of one.rules) rules.set(rule, [...(rules.get(rule) ?? []), one]);
  return {
    ...counted(waited),
    runs,
    perRun: runs === 0 ? 0 : waited.length / runs,
    rules: [...rules]
      .map(([rule, of]) => ({ rule, ...counted(of), ...paced(of) }))
      .toSorted((a, b) => b.asked - a.asked),
  };
}

function counted(of: readonly Waited[]): Pick<RuleStats, "asked" | "approved" | "denied"> {
  const approved = of.filter(({ decision }) => decision?.approved === true).length;
  const denied = of.filter(({ decision }) => decision?.approved === false).length;
  return { asked: of.length, approved, denied };
}

function paced(of: readonly Waited[]): Pick<RuleStats, "median" | "flags"> {
  const times = of.flatMap(({ decision }) => (decision ? [decision.after] : [])).toSorted((a, b) => a - b);
  const median = times[Math.floor((times.length - 1) / 2)];
  if (median === undefined || times.length < ENOUGH)
    return { flags: [], ...(median !== undefined && { median }) };
  const { approved } = counted(of);
  return {
    median,
    flags: [
      ...(approved / times.length > OFTEN ? (["always_approved"] as const) : []),
      ...(median < FAST ? (["too_fast"] as const) : []),
    ],
  };
}

/** `behest.approval.time` (ms, histogram) by rule and decision. Without an OpenTelemetry SDK it costs nothing. */
export function measureDecision(rules: readonly string[], decision: "approve" | "deny", after: number): void {
  const time = metrics.getMeter("@behest/core").createHistogram("behest.approval.time", {
    unit: "ms",
    description: "From asking persons to approve an action to the first decision",
  });
  for (const rule of rules) time.record(after, { "behest.rule": rule, "behest.decision": decision });
}

/** `behest.approval.asked` (counter) by rule. */
export function measureAsk(rules: readonly string[]): void {
  const asked = metrics.getMeter("@behest/core").createCounter("behest.approval.asked", {
    description: "Actions that wait for persons",
  });
  for (const rule of rules) asked.add(1, { "behest.rule": rule });
}
