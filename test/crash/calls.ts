import type { Profile } from "@behest/core";

/**
 * `pay` and `fail` act on the world and must never run again; `look` is a read. `wire` and `peek` are like `pay` and
 * `look`, and wait for persons.
 */
export type Kind = "pay" | "fail" | "look" | "wire" | "peek";

/** The calls of a run, each with a tool of its own, so that effects and entries can be joined by its name. */
export interface Call {
  readonly tool: string;
  readonly kind: Kind;
  readonly callId: string;
}

/** A life makes all calls that the lives before it made, and so many more. */
export const CALLS_A_LIFE = 8;
export const MAX_LIVES = 9;

const KINDS: readonly Kind[] = ["wire", "pay", "wire", "look", "wire", "peek", "wire", "fail"];

function callAt(n: number): Call {
  const kind = KINDS[n % KINDS.length]!;
  return { tool: `${kind}_${n}`, kind, callId: `call-${n}` };
}

export function callsUntil(life: number): Call[] {
  return Array.from({ length: (life + 1) * CALLS_A_LIFE }, (_, n) => callAt(n));
}

export function kindOf(tool: string): Kind {
  return tool.split("_")[0] as Kind;
}

export function isRead(tool: string): boolean {
  return kindOf(tool) === "look" || kindOf(tool) === "peek";
}

/** One that signs decisions, and what it says. */
export interface Saying {
  readonly person: number;
  readonly decision: "approve" | "deny";
}

export const PERSONS = 3;

const [yes, no] = (["approve", "deny"] as const).map((decision) => (person: number): Saying => ({
  person,
  decision,
})) as [(person: number) => Saying, (person: number) => Saying];

/** How many persons have to approve, and what is said in turn: also twice by one person, too late, or in vain. */
const PLANS: readonly { readonly need: number; readonly says: readonly Saying[] }[] = [
  { need: 1, says: [yes(0)] },
  { need: 2, says: [yes(0), yes(1)] },
  { need: 1, says: [no(0)] },
  { need: 2, says: [yes(1), yes(1), yes(2)] },
  { need: 1, says: [yes(2), no(0)] },
  { need: 2, says: [yes(0), no(2), yes(1)] },
  { need: 2, says: [yes(2), yes(0)] },
];

/** Of a call that waits for persons; undefined for others. */
export function planOf(tool: string): (typeof PLANS)[number] | undefined {
  const kind = kindOf(tool);
  if (kind !== "wire" && kind !== "peek") return undefined;
  const n = Number(tool.split("_")[1]);
  // Another one of each kind in every round.
  return PLANS[(n + Math.floor(n / KINDS.length)) % PLANS.length];
}

const PROFILES: { readonly [kind in Kind]: Profile } = {
  pay: { effect: "irreversible", boundary: "outside" },
  fail: { effect: "reversible", boundary: "inside" },
  look: { effect: "read", boundary: "inside" },
  wire: { effect: "irreversible", boundary: "outside" },
  peek: { effect: "read", boundary: "outside" },
};

export const ALL: readonly Call[] = callsUntil(MAX_LIVES - 1);
export const profiles: { readonly [tool: string]: Profile } = Object.fromEntries(
  ALL.map(({ tool, kind }) => [tool, PROFILES[kind]]),
);

const LINE = 64;

/** A line of the effects or of the answers: what it says stands in its first half, which may be all that is written. */
export function lineOf(text: string): string {
  return `${text.padEnd(LINE - 1, ".")}\n`;
}

export function textOf(line: string): string {
  return line.replace(/\.+$/, "");
}
