import type { OutcomeWord } from "@behest/provenance";
import { isRead, textOf } from "./calls.ts";
import { type Attempt, type Log, NO_LOG } from "./log.ts";
import { judgeStarts } from "./persons.ts";
import { type Step, said } from "./steps.ts";

/** What must never be found. */
export interface Violation {
  readonly fault:
    /** A body took effect before its own `action` entry was on the disk, or without one. */
    | "unrecorded"
    /** A body that must not run again took effect again. */
    | "twice"
    /** A body took effect that fewer persons had approved than it needs. */
    | "unapproved"
    /** A body took effect that a person had denied. */
    | "denied"
    /** An approval was of use after its action had started. */
    | "spent twice"
    /** What was acknowledged is not in the log: an outcome, that persons are asked, what one of them decided. */
    | "lost"
    /** The log does not verify, or the run cannot be taken up again. */
    | "broken";
  readonly story: string;
}

/** The outcome that an answer vouches for. Refusals too: they say what is recorded. */
const VOUCHED: { readonly [answer: string]: OutcomeWord } = {
  done: "done",
  failed: "failed",
  already_done: "failed",
  outcome_unknown: "unknown",
};

/** What others have seen of a run over its lives. No power cut takes that back. */
export class World {
  readonly #excused: string | undefined;
  /** Tools whose bodies took effect in earlier lives, and in the latest one. */
  readonly #earlier: string[] = [];
  #latest: readonly string[] = [];
  /** The log at the start of the latest life. */
  #before: Log = NO_LOG;
  /** Tool and answer. */
  readonly #answers: (readonly [string, string])[] = [];
  /** Tool, and how the decision ends that was taken. */
  readonly #decided: (readonly [string, string])[] = [];
  /** Tools whose effect had been synced. */
  readonly #ended = new Set<string>();

  /** `excused`: an answer that vouches for nothing and is no fault. */
  constructor(excused?: string) {
    this.#excused = excused;
  }

  /** A life on the log `before` is over; `effects`: what surely is left of that file. */
  witness(steps: readonly Step[], before: Log, effects: Buffer): void {
    this.#earlier.push(...this.#latest);
    this.#latest = said(steps, "e");
    this.#before = before;
    for (const line of said(steps, "a")) {
      const [tool, answer, decision] = line.split(" ") as [string, string, string?];
      if (decision !== undefined) this.#decided.push([tool, decision]);
      else if (answer !== "ready") this.#answers.push([tool, answer]);
    }
    for (const line of effects.toString("latin1").split("\n")) this.#ended.add(textOf(line));
  }

  /** Everything that is wrong with what a power cut after the latest life has left. */
  judge(log: Log): Violation[] {
    const { attempts, asked, decisions, entries, refusal } = log;
    const found = judgeStarts(log, this.#before);
    const find = (fault: Violation["fault"], story: string): unknown => found.push({ fault, story });
    const of = (tool: string): Attempt[] => attempts.filter((attempt) => attempt.tool === tool);

    for (const tool of new Set(this.#latest)) {
      const times = count(this.#latest, tool);
      const recorded = of(tool).filter(({ index }) => index >= this.#before.entries.length).length;
      if (times > recorded) find("unrecorded", `${tool} ran ${times} times, recorded: ${recorded}`);
      const earlier = count(this.#earlier, tool);
      if (!isRead(tool) && earlier + times > 1)
        find("twice", `${tool} ran ${earlier} times before and ${times} times in this life`);
    }
    for (const [tool, answer] of this.#answers) {
      if (answer === "approval_needed" || answer === "approval_denied") {
        const isDenied = decisions.some((decision) => decision.tool === tool && decision.says === "deny");
        if (answer === "approval_needed" ? !asked.has(tool) : !isDenied)
          find("lost", `${tool} was answered with ${answer}, which is not in the log`);
        continue;
      }
      const outcome = VOUCHED[answer];
      const outcomes = of(tool).map((attempt) => attempt.outcome);
      if (!outcome && answer !== this.#excused) find("broken", `${tool} was answered with ${answer}`);
      if (outcome && !outcomes.includes(outcome))
        find("lost", `${tool} was answered with ${answer}, recorded: ${outcomes.join()}`);
    }
    for (const [tool, tail] of this.#decided)
      if (!decisions.some((decision) => decision.tool === tool && decision.signed.endsWith(tail)))
        find("lost", `a decision on ${tool} that was taken`);
    for (const { tool, outcome } of attempts)
      if ((outcome === "done" || outcome === "failed") && !this.#ended.has(tool))
        find("broken", `${tool} is recorded as ${outcome}, and its body had not ended`);
    if (this.#before.entries.some((entry, i) => entries[i] !== entry))
      find("lost", "entries from before this life");
    if (refusal !== undefined) find("broken", refusal);
    return found;
  }
}

function count(tools: readonly string[], tool: string): number {
  return tools.filter((other) => other === tool).length;
}
