import type { ArgsOf, Effect, Json } from "@behest/delegation";
import { type Amount, readAmount } from "../budget/amount.ts";

export type Boundary = "inside" | "outside";
type Or<A, V> = V | ((args: A) => V);

/** What a tool can do. Fixed values, or functions of the parsed arguments. */
export interface Profile<in A = never> {
  effect: Or<A, Effect>;
  boundary: Or<A, Boundary>;
  /** Arguments that decide where the effect lands. */
  control?: readonly (keyof A & string)[];
  resource?: (args: A) => string;
  /** The narrowest workspace that holds all it touches, as delegations write them: `acme/finance`. */
  workspace?: (args: A) => string;
  /** What it spends: a decimal ("12.50") or a number that prints as one, not negative; `"0"` where it spends nothing. */
  amount?: (args: A) => { value: string | number; currency: string };
  /** How a person undoes it. */
  undo?: string;
}

// One registry across copies of this module; by identity, so that nobody's tool is touched.
const registry: WeakMap<object, Profile> = ((globalThis as Record<symbol, unknown>)[
  Symbol.for("behest.profiles.v1")
] ??= new WeakMap<object, Profile>()) as WeakMap<object, Profile>;

/** Declares what a tool can do, and returns the same tool. A copy of the tool (`{...tool}`) has no profile, hence is treated as irreversible and outside. */
export function withProfile<T extends object>(tool: T, profile: Profile<ArgsOf<T>>): T {
  registry.set(tool, profile as Profile);
  return tool;
}

/** The class of one action: what its profile says, or the worst where there is none. */
export interface ActionClass {
  readonly effect: Effect;
  readonly boundary: Boundary;
  readonly declared: boolean;
  /** As its profile says it, well-formed or not. */
  readonly workspace?: string;
  readonly amount?: Amount;
  /** Where it is declared. */
  readonly profile?: Profile;
  /** Declared, but one of its functions threw or answered something else. */
  readonly invalid?: true;
}

const UNKNOWN: ActionClass = { effect: "irreversible", boundary: "outside", declared: false };
const INVALID: ActionClass = { ...UNKNOWN, declared: true, invalid: true };

export function profileOf(definition: object | undefined, named: Profile | undefined): Profile | undefined {
  return (definition && registry.get(definition)) ?? named;
}

export function classify(profile: Profile | undefined, args: Json): ActionClass {
  if (!profile) return UNKNOWN;
  try {
    const effect = typeof profile.effect === "function" ? profile.effect(args as never) : profile.effect;
    const boundary =
      typeof profile.boundary === "function" ? profile.boundary(args as never) : profile.boundary;
    if (!EFFECTS.has(effect) || (boundary !== "inside" && boundary !== "outside")) return INVALID;
    return { effect, boundary, declared: true, profile, ...reach(profile, args) };
  } catch {
    return INVALID;
  }
}

/** Where it acts and what it spends. */
function reach(profile: Profile, args: Json): Pick<ActionClass, "workspace" | "amount" | "invalid"> {
  try {
    const workspace: unknown = profile.workspace?.(args as never);
    if (workspace !== undefined && typeof workspace !== "string") return { invalid: true };
    const amount = profile.amount && readAmount(profile.amount(args as never));
    return { ...(workspace !== undefined && { workspace }), ...(amount && { amount }) };
  } catch {
    return { invalid: true };
  }
}

const EFFECTS: ReadonlySet<string> = new Set(["read", "reversible", "irreversible"]);
