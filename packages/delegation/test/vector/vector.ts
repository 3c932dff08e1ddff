import type { Json } from "@behest/jws";
import type { DelegationCode } from "../../src/index.ts";
import { ANCHORS, NOW } from "./token.ts";

/** What is asked of whoever replays a file; README.md of the vectors says how. */
export type Replay = "delegation" | "action" | "arguments" | "tools" | "grants" | "derive";

type Input = { readonly [member: string]: Json };

/** One input and its verdict. */
export type Case = Input & { readonly name: string; readonly expect: "accept" | "refuse" };

/** One behaviour, one file. */
export interface Vector {
  /** Its number and a few words: the file's name. */
  readonly id: string;
  readonly title: string;
  readonly replay: Replay;
  /** Members of every case that has none of its own by that name. */
  readonly given: Input;
  readonly cases: readonly Case[];
}

export function accept(name: string, input: Input, result?: Json): Case {
  return { name, ...input, expect: "accept", ...(result !== undefined && { result }) };
}

/** `step`: of the draft's section 8, or "bhst"; where the draft has none it is absent. */
export function refuse(
  name: string,
  code: DelegationCode,
  at: { readonly step?: string; readonly hop?: number },
  input: Input,
): Case {
  return { name, ...input, expect: "refuse", code, ...at };
}

/** Chains to verify, by the test issuer's key and at a fixed time. */
export function delegations(id: string, title: string, cases: readonly Case[], given: Input = {}): Vector {
  return { id, title, replay: "delegation", given: { anchors: ANCHORS, now: NOW, ...given }, cases };
}

/** The file's text: a case a line, and nothing outside ASCII, so that no editor changes or hides anything. */
export function printed({ id: _, title, replay, given, cases }: Vector): string {
  const line = (value: Json): string =>
    JSON.stringify(value).replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  const head = Object.entries({ title, replay, given }).map(
    ([name, value]) => `  "${name}": ${line(value)},\n`,
  );
  return `{\n${head.join("")}  "cases": [\n${cases.map((each) => `    ${line(each)}`).join(",\n")}\n  ]\n}\n`;
}

/** A value in a case's name; cut short it must still differ from the file's others. */
export function named(value: Json | undefined): string {
  if (value === undefined) return "absent";
  const text = JSON.stringify(value).replaceAll('"', "'");
  return text.length > 100 ? `${text.slice(0, 80)} ... ${text.length}` : text;
}
