import type { ArgsOf, Effect, Json } from "@behest/delegation";

export type Boundary = "inside" | "outside";
type Or<A, V> = V | ((args: A) => V);

/** What a tool can do. Fixed values, or functions of the parsed arguments. */
export interface Profile<in A = never> {
  effect: Or<A, Effect>;
  boundary: Or<A, Boundary>;
  /** Arguments that decide where the effect lands. */
  control?: readonly (keyof A & string)[];
  resource?: (args: A) => string;
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
  /** Where it is declared. */
  readonly profile?: Profile;
  /** Declared, but its function threw or answered something else. */
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
    const known = EFFECTS.has(effect) && (boundary === "inside" || boundary === "outside");
    return known ? { effect, boundary, declared: true, profile } : INVALID;
  } catch {
    return INVALID;
  }
}

const EFFECTS: ReadonlySet<string> = new Set(["read", "reversible", "irreversible"]);
