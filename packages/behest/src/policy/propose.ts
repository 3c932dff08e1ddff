import { dirname } from "node:path";
import type { Constraint, ConstraintMap, Json } from "@behest/delegation";
import { compareGrants } from "@behest/delegation";
import { CodedError } from "@behest/jws";

type Args = { readonly [name: string]: Json };

/** Values that an argument had are taken for all that it may have only where they are few and came again. */
const FEW = 5;

/** The narrowest grant of the usual kinds that all of these calls lie within. */
export function propose(calls: readonly Args[]): ConstraintMap {
  const names = [...new Set(calls.flatMap((args) => Object.keys(args)))];
  return Object.fromEntries(
    names.map((name) => {
      // In a grant that name stands for all that is not named.
      if (name === "*") return [name, ANY];
      const given = calls.filter((args) => Object.hasOwn(args, name)).map((args) => args[name]!);
      const constraint = [...candidates(given)].find(isWell)!;
      return [name, given.length < calls.length ? { ...constraint, optional: true } : constraint];
    }),
  );
}

const ANY: Constraint = { constraint_type: "wildcard" };

/** Narrowest first; what a text looks like is a guess, so the last is what always holds. */
function* candidates(given: readonly Json[]): Generator<Constraint> {
  const values = [...new Set(given)];
  const scalar = values.every((value) => typeof value !== "object" || value === null);
  if (scalar && values.length === 1 && given.length > 1)
    yield { constraint_type: "exact", value: values[0]! };
  const texts = values.filter((value) => typeof value === "string");
  if (texts.length === values.length) {
    const domain = common(texts.map((text) => /^[^\s@]+@([^\s@]+)$/.exec(text)?.[1]?.toLowerCase()));
    if (domain !== undefined) yield { constraint_type: "email", domain };
    const under = texts.every((text) => /^\/[^/]/.test(text)) ? folder(texts.map(dirname)) : undefined;
    if (under !== undefined && under !== "/") yield { constraint_type: "path", under };
    const origin = common(texts.map(originOf));
    if (origin !== undefined) yield { constraint_type: "url", base: origin };
  }
  const numbers = values.filter((value) => typeof value === "number").toSorted((a, b) => a - b);
  if (numbers.length === values.length)
    yield { constraint_type: "range", min: numbers[0]!, max: numbers.at(-1)! };
  if (scalar && values.length <= FEW && given.length >= 2 * values.length)
    yield { constraint_type: "one_of", values };
  yield ANY;
}

function common(values: readonly (string | undefined)[]): string | undefined {
  const [first] = values;
  return values.every((value) => value === first) ? first : undefined;
}

function originOf(text: string): string | undefined {
  return /^https:\/\/[^/?#\\@\s]+(?=\/)/.exec(text)?.[0];
}

/** The deepest that holds all of these. */
function folder(folders: readonly string[]): string {
  let at = folders[0]!;
  while (!folders.every((path) => path === at || path.startsWith(at === "/" ? at : `${at}/`)))
    at = dirname(at);
  return at;
}

function isWell(constraint: Constraint): boolean {
  try {
    compareGrants({}, { tool: { argument: constraint } });
    return true;
  } catch (error) {
    if (CodedError.isInstance(error)) return false;
    throw error;
  }
}
