import type { Json } from "@behest/jws";
import type { Constraint, Scalar } from "../constraints/constraint.ts";
import { parseAddress, asciiLower } from "../constraints/email.ts";
import { deepFreeze } from "../freeze.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { readTools } from "../constraints/tools.ts";
import { normalBase } from "../constraints/url.ts";

declare const accepts: unique symbol;
declare const amount: unique symbol;

/** What `is.decimal` is about: a text, and fit for a number too. */
export type Amount = string & { readonly [amount]: true };

/** A constraint on values of type `V`; made by `is`. */
export interface Rule<out V> {
  readonly [accepts]?: V;
  readonly constraint: Constraint;
}

type ValueOf<R> = R extends Rule<infer V> ? V : never;

interface Rules {
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
  /** An amount from `min` to `max`, both included: an exact decimal in text such as `"12.50"`, or a number. */
  decimal(bounds: { readonly min?: string; readonly max?: string }): Rule<Amount>;
  /** A path that lies below a folder (or is the folder) however it is decoded and resolved; links are not followed. */
  under(folder: string): Rule<string>;
  /**
   * An http(s) URL of the base's origin, at or below its path; query and fragment are free. With
   * `"https://*.example.com"` every subdomain, not example.com itself.
   */
  url(base: string): Rule<string>;
  /** A text that begins so. For paths, URLs and addresses use the rule that knows them. */
  prefix(text: string): Rule<string>;
  /** Every rule holds. */
  all<R extends readonly Rule<unknown>[]>(...rules: R): Rule<ValueOf<R[number]>>;
  /** Some rule holds. */
  either<R extends readonly Rule<unknown>[]>(...rules: R): Rule<ValueOf<R[number]>>;
}

const rules: Rules = {
  any: rule("any", { constraint_type: "wildcard" }),
  oneOf: (...values) => rule("oneOf", { constraint_type: "one_of", values }),
  not: (...excluded) => rule("not", { constraint_type: "not_one_of", excluded }),
  atMost: (max) => rule("atMost", { constraint_type: "range", max }),
  between: (min, max) => rule("between", { constraint_type: "range", min, max }),
  subset: (...allowed) => rule("subset", { constraint_type: "subset", allowed }),
  contains: (...required) => rule("contains", { constraint_type: "contains", required }),
  email: (text) => rule("email", { constraint_type: "email", ...mailbox(text) }),
  decimal: (bounds) => rule("decimal", { constraint_type: "decimal", ...bounds }),
  under: (folder) => rule("under", { constraint_type: "path", under: withoutLastSlash(folder) }),
  url: (base) => rule("url", { constraint_type: "url", base: normalBase(base) ?? "" }),
  prefix: (text) => rule("prefix", { constraint_type: "prefix", prefix: text }),
  all: (...parts) => rule("all", { constraint_type: "all", constraints: clauses(parts) }),
  either: (...parts) => rule("either", { constraint_type: "any", constraints: clauses(parts) }),
};

/** Constraints beyond a literal. Each throws `malformed_grant` when what it is given is ambiguous. */
export const is: Rules = Object.freeze(rules);

/** Throws `malformed_grant` at `tools.is.<name>`. */
function rule<V>(name: string, constraint: Constraint): Rule<V> {
  const read = readTools({ is: { [name]: constraint } }, DEFAULT_LIMITS);
  return deepFreeze({ constraint: read["is"]![name]! });
}

function clauses(parts: readonly Rule<unknown>[]): readonly Json[] {
  return parts.map((part) => part.constraint as Json);
}

function mailbox(text: string): { readonly domain: string } | { readonly address: string } {
  if (text.startsWith("@")) return { domain: asciiLower(text.slice(1)) };
  const address = parseAddress(text);
  return { address: address ? `${address.local}@${address.domain}` : "" };
}

function withoutLastSlash(folder: string): string {
  return folder.length > 1 && folder.endsWith("/") ? folder.slice(0, -1) : folder;
}
