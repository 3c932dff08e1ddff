import type { OutcomeWord } from "@behest/provenance";
import { kindOf, textOf } from "./calls.ts";
import { type Attempt, type Log, NO_LOG } from "./log.ts";
import { type Step, said } from "./steps.ts";

/** What must never be found. */
export interface Violation {
  readonly fault:
    /** A body took effect before its own `action` entry was on the disk, or without one. */
    | "unrecorded"
    /** A body that must not run again took effect again. */
    | "twice"
    /** What was acknowledged is not in the log. */
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
    for (const answer of said(steps, "a")) this.#answers.push(answer.split(" ") as [string, string]);
    for (const line of effects.toString("latin1").split("\n")) this.#ended.add(textOf(line));
  }

  /** Everything that is wrong with what a power cut after the latest life has left. */
  judge({ attempts, entries, refusal }: Log): Violation[] {
    const found: Violation[] = [];
    const find = (fault: Violation["fault"], story: string): unknown => found.push({ fault, story });
    const of = (tool: string): Attempt[] => attempts.filter((attempt) => attempt.tool === tool);

    for (const tool of new Set(this.#latest)) {
      const times = count(this.#latest, tool);
      const recorded = of(tool).filter(({ index }) => index >= this.#before.entries.length).length;
      if (times > recorded) find("unrecorded", `${tool} ran ${times} times, recorded: ${recorded}`);
      const earlier = count(this.#earlier, tool);
      if (kindOf(tool) !== "look" && earlier + times > 1)
        find("twice", `${tool} ran ${earlier} times before and ${times} times in this life`);
    }
    for (const [tool, answer] of this.#answers) {
      const outcome = VOUCHED[answer];
      const outcomes = of(tool).map((attempt) => attempt.outcome);
      if (!outcome && answer !== this.#excused) find("broken", `${tool} was answered with ${answer}`);
      if (outcome && !outcomes.includes(outcome))
        find("lost", `${tool} was answered with ${answer}, recorded: ${outcomes.join()}`);
    }
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
