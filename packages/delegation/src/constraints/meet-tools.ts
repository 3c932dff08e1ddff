import { apart } from "./apart.ts";
import type { AatTools, Constraint, ConstraintMap, Known } from "./constraint.ts";
import { type Effort, newEffort } from "./effort.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { reduced } from "./meet.ts";
import { rewrap } from "./narrow.ts";
import { placeOf } from "./place.ts";
import { malformedArgument } from "./wellformed.ts";

/** What becomes of one tool or argument that was asked for; names constraint types and rules, never values. */
export interface Explained {
  /** `tools.<tool>` or `tools.<tool>.<argument>`; `*` stands for the arguments not named. */
  readonly path: string;
  /**
   * `kept`: as asked for. `narrowed`: deriving refuses it, narrowing keeps a part. `refused`: narrowing leaves it out too;
   * a tool goes with any required argument that is refused.
   */
  readonly result: "kept" | "narrowed" | "refused";
  /** What the parent says here, and what was asked for. */
  readonly parent: string;
  readonly child: string;
  readonly why: string;
}

/**
 * The largest grant found within both. Both are well-formed and normal; so is the result. Step 4p accepts it under the
 * parent, it permits no call that either refuses, and what is within the parent as it was asked for stays so.
 * A tool of which nothing is left, or nothing that a token can say, is left out.
 */
export function meetTools(parent: AatTools, wanted: AatTools): AatTools {
  const kept = compareTools(parent, wanted).flatMap(({ tool, map }) => (map ? [[tool, map] as const] : []));
  return Object.fromEntries(kept);
}

/**
 * One item for each tool that was asked for, followed by one for each of its arguments, and for each that the parent
 * names where that makes a difference. All are `kept` exactly when deriving accepts; a tool is in
 * {@link meetTools} exactly when it is not `refused`; so is an argument of such a tool.
 */
export function explainTools(parent: AatTools, wanted: AatTools): readonly Explained[] {
  return compareTools(parent, wanted).flatMap(({ places }) => places);
}

/** For all that deriving would refuse; some 64 alternatives of each side, or as many arguments as there can be. */
const MOST_NARROWING = 2 ** 19;

interface Efforts {
  readonly rewrapping: Effort;
  readonly narrowing: Effort;
}

interface Outcome {
  readonly tool: string;
  readonly map?: ConstraintMap;
  readonly places: readonly Explained[];
}

function compareTools(parent: AatTools, wanted: AatTools): readonly Outcome[] {
  // Its own for what deriving does too, so that it finds the same.
  const efforts = { rewrapping: newEffort(), narrowing: newEffort(MOST_NARROWING) };
  return Object.keys(wanted).map((tool) => {
    if (Object.hasOwn(parent, tool))
      return new Comparison(tool, parent[tool]!, wanted[tool]!, efforts).outcome();
    const why = "the parent does not grant the tool";
    const path = placeOf(tool);
    return { tool, places: [{ path, result: "refused", parent: "not granted", child: "granted", why }] };
  });
}

/** Of what a parent says about one tool with what is wanted of it. */
class Comparison {
  readonly #tool: string;
  readonly #parent: ConstraintMap;
  readonly #wanted: ConstraintMap;
  readonly #efforts: Efforts;
  readonly #places: Explained[] = [];
  readonly #kept: [string, Constraint][] = [];
  /** Arguments not named stay free. */
  #open: boolean;
  /** An argument is refused that every call must have, for one side or the other. */
  #lost = false;

  constructor(tool: string, parent: ConstraintMap, wanted: ConstraintMap, efforts: Efforts) {
    this.#tool = tool;
    this.#parent = parent;
    this.#wanted = wanted;
    this.#efforts = efforts;
    this.#open = Object.hasOwn(parent, "*") && Object.hasOwn(wanted, "*");
  }

  outcome(): Outcome {
    for (const name of Object.keys(this.#wanted)) {
      if (name === "*") continue;
      if (Object.hasOwn(this.#parent, name)) this.#namedByBoth(name);
      else this.#namedByWanted(name);
    }
    const covered = Object.keys(this.#parent).filter(
      (name) => name !== "*" && !Object.hasOwn(this.#wanted, name),
    );
    for (const name of covered) this.#namedByParent(name);
    if (Object.hasOwn(this.#wanted, "*")) this.#notNamed(covered.length > 0);
    return this.#judged(Object.fromEntries(this.#kept));
  }

  #say(name: string, result: Explained["result"], parent: string, child: string, why: string): void {
    this.#places.push({ path: placeOf(this.#tool, name), result, parent, child, why });
  }

  #namedByBoth(name: string): void {
    const [held, asked] = [this.#parent[name]!, this.#wanted[name]!];
    const [bound, required] = [held.optional !== true, asked.optional !== true];
    const { constraint, result, why } = compareArguments(bare(held), bare(asked), this.#efforts);
    if (!constraint) {
      this.#lost ||= required || bound;
      // Left out of an open map it would be free: where it may be left out, the map is closed.
      this.#open = false;
    } else this.#kept.push([name, required || bound ? constraint : { ...constraint, optional: true }]);
    if (bound && !required && result === "kept")
      this.#say(name, "narrowed", "required", "optional", "the parent requires the argument");
    else this.#say(name, result, held.constraint_type, asked.constraint_type, why);
  }

  #namedByWanted(name: string): void {
    const asked = this.#wanted[name]!;
    if (Object.hasOwn(this.#parent, "*")) {
      this.#kept.push([name, asked]);
      this.#say(name, "kept", "any value", asked.constraint_type, "the parent permits any other argument");
    } else {
      this.#lost ||= asked.optional !== true;
      const why = "the parent does not name the argument";
      this.#say(name, "refused", "not named", asked.constraint_type, why);
    }
  }

  #namedByParent(name: string): void {
    const held = this.#parent[name]!;
    const bound = held.optional !== true;
    if (Object.hasOwn(this.#wanted, "*")) {
      this.#kept.push([name, held]);
      const [says, asks] = bound ? ["required", "left out"] : [held.constraint_type, "any value"];
      this.#say(name, "narrowed", says, asks, "the parent's own rule for the argument stays");
    } else if (bound) {
      this.#lost = true;
      this.#say(name, "refused", "required", "left out", "the parent requires the argument");
    }
  }

  /** `covered`: the parent names arguments that only the wanted "*" stands for. */
  #notNamed(covered: boolean): void {
    if (this.#open) {
      this.#kept.push(["*", this.#wanted["*"]!]);
      this.#say("*", "kept", "any argument", "any argument", "the parent permits any other argument");
    } else if (Object.hasOwn(this.#parent, "*")) {
      const why = "an argument is refused that would be free if any others were";
      this.#say("*", covered ? "narrowed" : "refused", "any argument", "any argument", why);
    } else {
      const why = "the parent permits no other arguments";
      this.#say("*", covered ? "narrowed" : "refused", "named arguments only", "any argument", why);
    }
  }

  /** The tool as a whole, before its arguments. */
  #judged(map: ConstraintMap): Outcome {
    const tool = this.#tool;
    const about = (result: Explained["result"], why: string): readonly Explained[] => [
      { path: placeOf(tool), result, parent: "granted", child: "granted", why },
      ...this.#places,
    ];
    if (this.#lost) return { tool, places: about("refused", "an argument that must be there is refused") };
    // An empty map would mean any arguments.
    if (Object.keys(map).length === 0)
      return { tool, places: about("refused", "no argument is left, which a token cannot say") };
    if (malformedArgument(map, DEFAULT_LIMITS) !== undefined)
      return {
        tool,
        places: about("refused", "what both permit takes too many constraints, or too deep ones"),
      };
    return this.#places.every(({ result }) => result === "kept")
      ? { tool, map, places: about("kept", "within the parent") }
      : { tool, map, places: about("narrowed", "only what both permit") };
  }
}

interface Compared {
  readonly constraint?: Constraint;
  readonly result: Explained["result"];
  readonly why: string;
}

function compareArguments(held: Known, asked: Known, { rewrapping, narrowing }: Efforts): Compared {
  const form = rewrap(held, asked, rewrapping);
  if (form) return { constraint: form, result: "kept", why: "within the parent" };
  const part = reduced(held, asked, narrowing);
  if (part) {
    const why = part === held ? "the parent's own rule is narrower" : "only what both permit";
    return { constraint: part, result: "narrowed", why };
  }
  const none = apart(held, asked, narrowing);
  const why = none ? "nothing in common" : "what both permit has no form under the parent's rule";
  return { result: "refused", why: narrowing.left < 0 ? "too much to compare" : why };
}

function bare({ optional: _, ...constraint }: Constraint): Known {
  return constraint as Known;
}
