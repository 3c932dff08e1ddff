import type { Json } from "@behest/jws";

/** One constraint on one argument, as a token carries it; its members depend on `constraint_type`. */
export type Constraint = {
  readonly constraint_type: string;
  /** Only on an argument's own constraint, never inside `all` or `any`. */
  readonly optional?: boolean;
  readonly [member: string]: Json | undefined;
};

/** Argument name → constraint; `"*"` covers every argument not named, `{}` means `{"*": wildcard}`. */
export type ConstraintMap = { readonly [argument: string]: Constraint };

/** What a delegation permits: tool id → constraints on its arguments. Closed-world on both levels. */
export type AatTools = { readonly [tool: string]: ConstraintMap };

export type Scalar = string | number | boolean | null;

/** The nine types of the draft (section 3.4) and five of ours, each with exactly these members. */
export type Known =
  | { readonly constraint_type: "exact"; readonly value: Scalar }
  | Range
  | { readonly constraint_type: "one_of"; readonly values: readonly Json[] }
  | { readonly constraint_type: "not_one_of"; readonly excluded: readonly Json[] }
  | { readonly constraint_type: "contains"; readonly required: readonly Json[] }
  | { readonly constraint_type: "subset"; readonly allowed: readonly Json[] }
  | { readonly constraint_type: "wildcard" }
  | { readonly constraint_type: "all"; readonly constraints: readonly Known[] }
  | { readonly constraint_type: "any"; readonly constraints: readonly Known[] }
  | { readonly constraint_type: "prefix"; readonly prefix: string }
  | Email
  | { readonly constraint_type: "path"; readonly under: string }
  | { readonly constraint_type: "url"; readonly base: string }
  | Decimal;

export type Range = {
  readonly constraint_type: "range";
  readonly min?: number;
  readonly max?: number;
  readonly min_inclusive?: boolean;
  readonly max_inclusive?: boolean;
};

/** Exactly one of the two. */
export type Email = {
  readonly constraint_type: "email";
  readonly address?: string;
  readonly domain?: string;
};

/** Bounds are decimals (decimal.ts), both included; without any, every decimal. */
export type Decimal = {
  readonly constraint_type: "decimal";
  readonly min?: string;
  readonly max?: string;
};
