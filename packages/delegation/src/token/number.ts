import { type Json, parseJson } from "@behest/jws";

/**
 * A number whose text is not what ECMAScript prints for its double (`3.0`, `1e2`, `9007199254740993`).
 * It is not a `number`, so whatever expects an integer or a date refuses it without knowing this class.
 */
class Written {
  readonly value: number;
  readonly admissible: boolean;
  constructor(text: string) {
    this.value = Number(text);
    this.admissible = denotesExactly(text, this.value);
  }
}

/**
 * Strict JSON parsing that remembers how numbers were written. Throws what `parseJson` throws.
 * `exact` is false when any number was not in its canonical form: then {@link Written} may stand for numbers,
 * and parts that are read as values must pass through {@link settle}.
 */
export function parseWritten(text: string): { readonly value: Json; readonly exact: boolean } {
  const value = parseJson(text);
  if (numbersCanonical(text)) return { value, exact: true };
  // The text is known to be well-formed and free of repeated names: only the numbers are read again.
  const reviver = (_name: string, item: unknown, context?: { source?: string }): unknown => {
    if (typeof item !== "number") return item;
    // Without source text (an old engine) nothing is known about the digits: not admissible.
    const source = context?.source ?? "NaN";
    return source === String(item) ? item : new Written(source);
  };
  return {
    value: JSON.parse(text, reviver as (name: string, item: unknown) => unknown) as Json,
    exact: false,
  };
}

/**
 * Plain JSON of a part: admissible numbers as numbers. `undefined` when one is not admissible, that is
 * when the JCS form of its double does not denote exactly the number written.
 */
export function settle(value: Json): Json | undefined {
  if (value instanceof Written) return value.admissible ? value.value : undefined;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value as readonly Json[]) {
      const settled = settle(item);
      if (settled === undefined) return undefined;
      items.push(settled);
    }
    return items;
  }
  const members: [string, Json][] = [];
  for (const [name, item] of Object.entries(value)) {
    const settled = settle(item);
    if (settled === undefined) return undefined;
    members.push([name, settled]);
  }
  return Object.fromEntries(members);
}

/** A JSON number written without fraction or exponent, and held exactly. */
export function isInteger(value: unknown): value is number {
  // Canonical text of a safe integer is its digits; every other spelling parsed to Written.
  return Number.isSafeInteger(value);
}

const DIGIT_0 = 48;
const DIGIT_9 = 57;
const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;

/** Every number of a JSON text is spelt as ECMAScript prints it. */
function numbersCanonical(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      for (i++; text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++;
    } else if (c === MINUS || (c >= DIGIT_0 && c <= DIGIT_9)) {
      const start = i;
      while (isNumberPart(text.charCodeAt(i + 1))) i++;
      const token = text.slice(start, i + 1);
      if (token !== String(Number(token))) return false;
    }
  }
  return true;
}

/** Digits, `+`, `-`, `.`, `e`, `E`. */
function isNumberPart(c: number): boolean {
  return (c >= DIGIT_0 && c <= DIGIT_9) || c === 43 || c === MINUS || c === 46 || c === 101 || c === 69;
}

const NUMBER = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

function denotesExactly(text: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  const written = decimal(text);
  const printed = decimal(String(value));
  return written !== undefined && written === printed && (value === 0 || text.startsWith("-") === value < 0);
}

/** Digits without outer zeros and the exponent of the last one: equal texts, equal magnitudes. */
function decimal(text: string): string | undefined {
  const match = NUMBER.exec(text);
  if (!match) return undefined;
  const fraction = match[2] ?? "";
  const digits = match[1]! + fraction;
  // By hand: a regular expression for trailing zeros is quadratic in them.
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === DIGIT_0) end--;
  if (end === 0) return "0";
  let start = 0;
  while (digits.charCodeAt(start) === DIGIT_0) start++;
  return `${digits.slice(start, end)}e${Number(match[3] ?? 0) - fraction.length + digits.length - end}`;
}
