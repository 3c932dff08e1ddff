import {
  type Constraint,
  DelegationError,
  type Json,
  type Rule,
  compareGrants,
  is,
} from "@behest/delegation";
import { Scanner } from "./scanner.ts";

/*
 * What an argument may be.
 *
 *   rule   = "*"                             any value
 *          / alt *("|" alt)                  one of these
 *          / "!" value *("|" value)          anything but these
 *          / "[" [value *("|" value)] "]"    a list of nothing but these
 *          / JSON object                     the constraint itself, as tokens carry it
 *   alt    = value
 *          / [number] ".." [number]          from, to, both included; one of them at least
 *          / "decimal:" [amount] ".." [amount]     the same for exact amounts: decimal:0.01..99.50; without both any
 *          / [local] "@" domain              an address, or every address of that very domain
 *          / folder "/**"                    a path at or below the folder
 *          / http(s) "://" host "/" […] "*"  a URL of that origin, at or below that path; "*." before the host
 *                                            stands for every subdomain
 *          / (word / JSON string) "*"        a text that begins so
 *   value  = number / "true" / "false" / "null" / JSON string / word
 *   number = as JSON prints it: 50, 0.5, -3; not 50.0, 5e1, +5
 *   amount = as a decimal constraint takes it: 0.01, 99.50, -3
 *   word   = 1*(letters, digits, "_" "." ":" "/" "@" "+" "%" "~" "#" "-"), read as text
 *
 * What looks like something else (a number with letters, a path with "*") is refused, not read as text: quoting
 * says that text is meant.
 */
const WORD = /[A-Za-z0-9_.:/@+%~#*-]+/y;
const NUMBER_LIKE = /^[-+.]?[0-9]/;
const DECIMAL = "decimal:";
const QUOTE = 'put it in "double quotes" if it is a text';
const RANGES = `a range is ..50, 10..50 or 10.., of amounts decimal:10.00..50; ${QUOTE}`;

/** Reads a rule where the scanner stands. `optional`: the argument may be left out. */
export function readRule(scanner: Scanner, optional: boolean): Constraint {
  const { column } = scanner;
  const bare = readBare(scanner);
  if (optional && bare.optional !== undefined) scanner.fail('"?" and "optional" say the same twice', column);
  const constraint: Constraint = optional ? { ...bare, optional } : bare;
  well(scanner, column, () => compareGrants({}, { tool: { argument: constraint } }));
  return constraint;
}

/** Reads a text that is one rule; throws `malformed_tool`. */
export function parseRule(text: string): Constraint {
  const scanner = new Scanner(text);
  const constraint = readRule(scanner, false);
  if (!scanner.done) scanner.fail("expected nothing after the rule");
  return constraint;
}

function readBare(scanner: Scanner): Constraint {
  const { column } = scanner;
  if (scanner.peek("{")) return scanner.json() as Constraint;
  if (scanner.eat("!")) return { constraint_type: "not_one_of", excluded: readValues(scanner) };
  if (scanner.eat("[")) {
    scanner.spaces();
    const allowed = scanner.peek("]") ? [] : readValues(scanner);
    scanner.expect("]", "or | after a value");
    return { constraint_type: "subset", allowed };
  }
  const alternatives = readAlternatives(scanner);
  const [only, ...more] = alternatives;
  if (more.length === 0) return only!;
  if (alternatives.some(({ constraint_type }) => constraint_type === "wildcard"))
    scanner.fail('"*" is any value already: it has no alternatives', column);
  const values = alternatives.flatMap(({ constraint_type, value }) =>
    constraint_type === "exact" ? [value!] : [],
  );
  if (values.length < alternatives.length)
    return { constraint_type: "any", constraints: alternatives as Json[] };
  return { constraint_type: "one_of", values: distinct(scanner, column, values) };
}

function readAlternatives(scanner: Scanner): Constraint[] {
  const found: Constraint[] = [];
  do {
    scanner.spaces();
    found.push(readAlternative(scanner));
    scanner.spaces();
  } while (scanner.eat("|"));
  return found;
}

function readValues(scanner: Scanner): Json[] {
  const { column } = scanner;
  const values = readAlternatives(scanner).map(({ constraint_type, value }) =>
    constraint_type === "exact"
      ? value!
      : scanner.fail(`only values can stand here, not other rules; ${QUOTE}`, column),
  );
  return distinct(scanner, column, values);
}

function distinct(scanner: Scanner, column: number, values: Json[]): Json[] {
  if (new Set(values).size < values.length) scanner.fail("a value is named twice", column);
  return values;
}

function readAlternative(scanner: Scanner): Constraint {
  const { column } = scanner;
  if (scanner.peek('"')) {
    const value = scanner.json();
    return scanner.eat("*")
      ? { constraint_type: "prefix", prefix: value }
      : { constraint_type: "exact", value };
  }
  const word = scanner.run(WORD);
  if (word === "") scanner.fail("expected a rule");
  return meaning(scanner, column, word);
}

/** What an unquoted word stands for. */
function meaning(scanner: Scanner, column: number, word: string): Constraint {
  const built = (rule: () => Rule<unknown>): Constraint => well(scanner, column, rule).constraint;
  if (word === "*") return { constraint_type: "wildcard" };
  if (word.endsWith("/**")) return built(() => is.under(word === "/**" ? "/" : word.slice(0, -3)));
  if (/^https?:\/\/(?:\*\.)?[^/*]+\/[^*]*\*$/.test(word)) return built(() => is.url(word.slice(0, -1)));
  if (word.includes("*")) {
    if (/^[^*/@]+\*$/.test(word)) return { constraint_type: "prefix", prefix: word.slice(0, -1) };
    scanner.fail(`"*" ends a text (abc*), a URL (https://host/path*) or, as /**, a folder; ${QUOTE}`, column);
  }
  if (word.startsWith(DECIMAL) && word.includes("..")) {
    const { from, to } = readBounds(scanner, column, word.slice(DECIMAL.length));
    return built(() => is.decimal({ ...(from !== "" && { min: from }), ...(to !== "" && { max: to }) }));
  }
  if (word.includes("..")) return readRange(scanner, column, word);
  if (word.includes("@")) return built(() => is.email(word));
  if (NUMBER_LIKE.test(word)) return { constraint_type: "exact", value: readNumber(scanner, column, word) };
  const value = word === "true" ? true : word === "false" ? false : word === "null" ? null : word;
  return { constraint_type: "exact", value };
}

function readRange(scanner: Scanner, column: number, word: string): Constraint {
  const { from, to } = readBounds(scanner, column, word);
  if (from === "" && to === "") scanner.fail(RANGES, column);
  return {
    constraint_type: "range",
    ...(from !== "" && { min: readNumber(scanner, column, from) }),
    ...(to !== "" && { max: readNumber(scanner, column, to) }),
  };
}

function readBounds(scanner: Scanner, column: number, text: string): { from: string; to: string } {
  const [from = "", to = "", ...rest] = text.split("..");
  return rest.length > 0 ? scanner.fail(RANGES, column) : { from, to };
}

function readNumber(scanner: Scanner, column: number, text: string): number {
  const value = Number(text);
  // What is printed otherwise may have been changed on the way: 9007199254740993, 0.1000000000000000001.
  if (!Number.isFinite(value) || String(value) !== text)
    scanner.fail(`expected a number as JSON prints it (50, 0.5, -3); ${QUOTE}`, column);
  return value;
}

function well<T>(scanner: Scanner, column: number, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!DelegationError.isInstance(error)) throw error;
    return scanner.fail(`not a rule that can be granted (ambiguous or malformed); ${QUOTE}`, column);
  }
}
