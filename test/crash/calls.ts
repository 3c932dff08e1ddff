import type { Profile } from "@behest/core";

/** `pay` and `fail` act on the world and must never run again; `look` is a read. */
export type Kind = "pay" | "fail" | "look";

/** The calls of a run, each with a tool of its own, so that effects and entries can be joined by its name. */
export interface Call {
  readonly tool: string;
  readonly kind: Kind;
  readonly callId: string;
}

/** A life makes all calls that the lives before it made, and so many more. */
export const CALLS_A_LIFE = 16;
export const MAX_LIVES = 9;

const KINDS: readonly Kind[] = ["pay", "look", "pay", "fail"];

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

const PROFILES: { readonly [kind in Kind]: Profile } = {
  pay: { effect: "irreversible", boundary: "outside" },
  fail: { effect: "reversible", boundary: "inside" },
  look: { effect: "read", boundary: "inside" },
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
