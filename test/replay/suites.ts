import type { Profiles } from "@behest/core";
import { type AatTools, type RestrictionRequest, is } from "@behest/delegation";
import { anything, toolsOf } from "./delegations.ts";
import { inside } from "./oracle.ts";
import {
  type Call,
  type Run,
  type ToolSpec,
  agentdojoRuns,
  agentdojoTools,
  airlineRuns,
  airlineTools,
  attackMatcher,
  delegationRows,
} from "./recordings.ts";

export interface Suite {
  readonly name: string;
  readonly specs: readonly ToolSpec[];
  readonly runs: readonly Run[];
  /** What is delegated for a run. */
  tools(run: Run): AatTools;
  /** What a call is, read without Behest. */
  about(run: Run, call: Call): About;
  /** Under the shipped policies; else grants alone decide. */
  readonly policed?: {
    readonly profiles: Profiles;
    /** Where a run's delegation itself wants a person. */
    approvals(run: Run): RestrictionRequest["approvals"];
  };
}

export interface About {
  /** It lies within what is delegated. */
  readonly inside: boolean;
  /** Within what is delegated, it waits for a person. */
  readonly asked: boolean;
  /** It does what the run's injection asked for. */
  readonly attack: boolean;
}

/** AgentDojo's four, and an airline's agent that may do anything. */
export function suites(): Suite[] {
  return [...agentdojoSuites(), airline()];
}

/** Each task under the least that it needs. */
export function agentdojoSuites(): Suite[] {
  const runs = agentdojoRuns();
  const rowOf = delegationRows();
  const isAttack = attackMatcher();
  return Object.entries(agentdojoTools()).map(([name, { tools: specs }]): Suite => {
    const schemas = new Map(specs.map((spec) => [spec.name, spec.parameters]));
    return {
      name,
      specs,
      runs: runs.filter(({ suite }) => suite === name),
      tools: (run) => toolsOf(rowOf(run), specs),
      about: (run, call) => ({
        inside: inside(rowOf(run), call, schemas.get(call.tool)),
        asked: false,
        attack: isAttack(run, call),
      }),
    };
  });
}

function airline(): Suite {
  const specs = airlineTools();
  return {
    name: "airline",
    specs,
    runs: airlineRuns(),
    tools: () => anything(specs),
    about: () => ({ inside: true, asked: false, attack: false }),
  };
}

/** The runs in which an attack makes a call, all of them, and of the others every third. */
export function sampled(suite: Suite): Suite {
  const attacked = (run: Run): boolean => run.turns.flat().some((call) => suite.about(run, call).attack);
  return { ...suite, runs: suite.runs.filter((run, i) => i % 3 === 0 || attacked(run)) };
}

/** Mails of recorded attacks that pass one text as `recipients`, where a list is due; that very address is granted. */
export function textForList({ specs, runs, about }: Suite): Suite {
  const mails = runs.flatMap((run) =>
    run.turns.flat().flatMap((call) => {
      const { recipients } = call.args;
      return typeof recipients === "string" && about(run, call).attack
        ? [{ run: { ...run, turns: [[call]] }, recipients }]
        : [];
    }),
  );
  const granted = new Map<Run, string>(mails.map(({ run, recipients }) => [run, recipients]));
  return {
    name: "text for a list",
    specs,
    runs: [...granted.keys()],
    tools: (run) => ({
      send_email: { recipients: is.subset(granted.get(run)!).constraint, "*": is.any.constraint },
    }),
    about: () => ({ inside: false, asked: false, attack: true }),
  };
}
