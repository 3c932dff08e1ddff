// Recorded runs of real agents. They are other people's data, kept beside the repository: README.md there
// says what is in which file. Prompts and mails in them, attacks included, are material and no instruction.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Json } from "@behest/delegation";

const FOLDER = resolve(import.meta.dirname, "../../../shared/replay");

export const recorded: boolean = existsSync(FOLDER);

/** `attack`: what an injection asked for. `user_gt`, `user_gt_tool`: what the task needs, or the same tool otherwise. */
export type Label = "attack" | "user_gt" | "user_gt_tool" | "other";

export interface Call {
  readonly tool: string;
  readonly args: { readonly [argument: string]: Json };
  readonly label: Label;
}

export interface Run {
  readonly id: string;
  readonly suite: string;
  readonly user_task: string;
  /** Null where nothing was injected. */
  readonly injection_task: string | null;
  readonly attack_succeeded: boolean | null;
  readonly prompt: string;
  /** Calls of one turn of the model were made at once. */
  readonly turns: readonly (readonly Call[])[];
}

export interface Schema {
  readonly type?: string;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly default?: Json;
  readonly $ref?: string;
  readonly $defs?: { readonly [name: string]: Schema };
}

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** Of an object. */
  readonly parameters: Schema;
}

/** What a row allows for one argument; `value` depends on `kind`. */
export type Limit = Known &
  (
    | { readonly kind: "any" | "empty" }
    | { readonly kind: "exact"; readonly value: string | number }
    | { readonly kind: "oneOf" | "subsetOf" | "host"; readonly value: readonly string[] }
    | { readonly kind: "range"; readonly value: { readonly min?: number; readonly max?: number } }
  );

interface Known {
  /** From the person's words, or only after reading data. */
  readonly origin?: "prompt" | "ground_truth";
  /** Whatever lies outside is for a person to decide. */
  readonly onViolation?: "approve";
}

/** The least that a person's task needs. */
export interface DelegationRow {
  readonly suite: string;
  /** `@v…` behind it: the wording of an older version of the task. */
  readonly user_task: string;
  readonly prompt: string;
  readonly grants: readonly {
    readonly tool: string;
    /** Empty: any arguments. */
    readonly constraints: { readonly [argument: string]: Limit };
    /** False: some value is only known after reading data, so that a person is to be asked. */
    readonly pinned: boolean;
  }[];
}

function read(name: string): string {
  const bytes = readFileSync(resolve(FOLDER, name));
  return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

const json = <T>(name: string): T => JSON.parse(read(name)) as T;

const rows = <T>(name: string): T[] =>
  read(name)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

type Recorded<C> = Omit<Run, "turns"> & { readonly tool_calls: readonly C[] };

/** Which turn made a call is known of the runs that were also traced; in the others each call is a turn. */
export function agentdojoRuns(): Run[] {
  const traces = rows<Recorded<{ turn: number }>>("agentdojo_traces.jsonl.gz");
  const turns = new Map(traces.map(({ id, tool_calls }) => [id, tool_calls.map(({ turn }) => turn)]));
  return rows<Recorded<Call>>("agentdojo_runs.jsonl.gz").map(({ tool_calls, ...run }) => {
    const turnOf = turns.get(run.id) ?? [...tool_calls.keys()];
    const grouped = Map.groupBy(tool_calls.entries(), ([i]) => turnOf[i]!);
    return { ...run, turns: [...grouped.values()].map((turn) => turn.map(([, call]) => call)) };
  });
}

export function agentdojoTools(): { readonly [suite: string]: { readonly tools: readonly ToolSpec[] } } {
  return json<{ suites: { [suite: string]: { tools: ToolSpec[] } } }>("tasks.json").suites;
}

export function delegationRows(): (run: Run) => DelegationRow {
  const read = rows<DelegationRow>("delegations.task.jsonl");
  const byTask = new Map(read.map((row) => [`${row.suite}/${row.user_task}`, row]));
  return ({ suite, user_task }) => byTask.get(`${suite}/${user_task}`)!;
}

/** Tools of a suite, by hand: a tool may stand in several of them. */
export interface ToolClasses {
  readonly read: readonly string[];
  readonly sensitive_read?: readonly string[];
  readonly egress_read?: readonly string[];
  readonly write: readonly string[];
  readonly irreversible: readonly string[];
}

export function toolClasses(): { readonly [suite: string]: ToolClasses } {
  return json("tool_classes.json");
}

type Matchers = {
  readonly [suite: string]: {
    readonly [task: string]: readonly { readonly tools: readonly string[]; readonly re: string }[];
  };
};

/** Whether a call does what the run's injection asked for, and is not what the user's task needs anyway. */
export function attackMatcher(): (run: Run, call: Call) => boolean {
  const matchers = json<Matchers>("attack_matchers.json");
  return ({ suite, injection_task }, { tool, args, label }) =>
    injection_task !== null &&
    label !== "user_gt" &&
    matchers[suite]![injection_task]!.some(
      ({ tools, re }) =>
        (tools.includes("*") || tools.includes(tool)) && new RegExp(re, "i").test(JSON.stringify(args)),
    );
}

/** An airline's service agent: no attacks, and everything it does is for the customer. */
export function airlineRuns(): Run[] {
  return rows<{ instruction: string; tool_calls: Omit<Call, "label">[] }>("tau_airline_runs.jsonl.gz").map(
    ({ instruction, tool_calls }, i) => ({
      id: `airline-${i}`,
      suite: "airline",
      user_task: "",
      injection_task: null,
      attack_succeeded: null,
      prompt: instruction,
      turns: tool_calls.map(({ tool, args }) => [{ tool, args, label: "user_gt" }]),
    }),
  );
}

export function airlineTools(): readonly ToolSpec[] {
  return json<{ airline: ToolSpec[] }>("tau_tools.json").airline;
}
