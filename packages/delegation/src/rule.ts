import type { Json } from "@behest/jws";
import type { Constraint, Scalar } from "./constraint.ts";
import { parseAddress, asciiLower } from "./email.ts";
import { DelegationError } from "./error.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { normalBase } from "./url.ts";
import { malformedArgument } from "./wellformed.ts";

declare const accepts: unique symbol;

/** A constraint on values of type `V`; made by `is`. */
export interface Rule<out V> {
  readonly [accepts]?: V;
  readonly constraint: Constraint;
}

/** Constraints beyond a literal. Each throws `malformed_grant` when what it is given is ambiguous. */
export const is: {
  /** Any value. */
  readonly any: Rule<never>;
  oneOf<const V extends Scalar>(...values: V[]): Rule<V>;
  /** Anything but these. */
  not<const V extends Scalar>(...values: V[]): Rule<V>;
  /** A number up to and including `max`; negative ones too. */
  atMost(max: number): Rule<number>;
  /** A number from `min` to `max`, both included. */
  between(min: number, max: number): Rule<number>;
  /** A list of nothing but these. */
  subset<const V extends Scalar>(...values: V[]): Rule<readonly V[]>;
  /** A list with all of these. */
  contains<const V extends Scalar>(...values: V[]): Rule<readonly V[]>;
  /** One address, or with `"@example.com"` every address of that very domain, not of its subdomains. */
  email(addressOrDomain: string): Rule<string>;
  /** A path below a folder (or the folder), absolute or relative as the folder is; no "..", "%", "\". */
  under(folder: string): Rule<string>;
  /** An http(s) URL of the base's origin, at or below its path; query and fragment are free. */
  url(base: string): Rule<string>;
  /** A text that begins so. For paths, URLs and addresses use the rule that knows them. */
  prefix(text: string): Rule<string>;
  /** Every rule holds. */
  all<V>(...rules: Rule<V>[]): Rule<V>;
  /** Some rule holds. */
  either<V>(...rules: Rule<V>[]): Rule<V>;
} = {
  any: rule("any", { constraint_type: "wildcard" }),
  oneOf: (...values) => rule("oneOf", { constraint_type: "one_of", values }),
  not: (...excluded) => rule("not", { constraint_type: "not_one_of", excluded }),
  atMost: (max) => rule("atMost", { constraint_type: "range", max }),
  between: (min, max) => rule("between", { constraint_type: "range", min, max }),
  subset: (...allowed) => rule("subset", { constraint_type: "subset", allowed }),
  contains: (...required) => rule("contains", { constraint_type: "contains", required }),
  email: (text) => rule("email", { constraint_type: "email", ...mailbox(text) }),
  under: (folder) => rule("under", { constraint_type: "path", under: withoutLastSlash(folder) }),
  url: (base) => rule("url", { constraint_type: "url", base: normalBase(base) ?? "" }),
  prefix: (text) => rule("prefix", { constraint_type: "prefix", prefix: text }),
  all: (...rules) => rule("all", { constraint_type: "all", constraints: clauses(rules) }),
  either: (...rules) => rule("either", { constraint_type: "any", constraints: clauses(rules) }),
};

function rule<V>(name: string, constraint: { readonly constraint_type: string; readonly [member: string]: Json }): Rule<V> {
  if (malformedArgument({ [name]: constraint }, DEFAULT_LIMITS) !== undefined)
    throw new DelegationError("malformed_grant", `is.${name}: not a well-formed ${constraint.constraint_type}`);
  return Object.freeze({ constraint: Object.freeze(constraint) });
}

function clauses(rules: readonly Rule<unknown>[]): readonly Json[] {
  return rules.map((each) => each.constraint as Json);
}

function mailbox(text: string): { readonly domain: string } | { readonly address: string } {
  if (text.startsWith("@")) return { domain: asciiLower(text.slice(1)) };
  const address = parseAddress(text);
  return { address: address ? `${address.local}@${address.domain}` : "" };
}

function withoutLastSlash(folder: string): string {
  return folder.length > 1 && folder.endsWith("/") ? folder.slice(0, -1) : folder;
}
