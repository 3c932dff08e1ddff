import { type Json, fromBase64url } from "@behest/jws";

/** Path of the first member that is not what it must be (`""` for the value itself); undefined when all is well. */
export type Check = (value: Json) => string | undefined;

/** One check a member, so that a type and its reader cannot drift apart; an optional member's name ends in `?`. */
export type Members<T> = {
  readonly [K in keyof T & string as object extends Pick<T, K> ? `${K}?` : K]-?: Check;
};

/** An object with exactly these members. */
export function closed<T>(members: Members<T>): Check {
  const checks = new Map<string, Check>();
  const required: string[] = [];
  for (const [name, check] of Object.entries<Check>(members)) {
    checks.set(name.replace(/\?$/, ""), check);
    if (!name.endsWith("?")) required.push(name);
  }
  return (value) => {
    if (!isObject(value)) return "";
    for (const name of required) if (!Object.hasOwn(value, name)) return name;
    for (const [name, member] of Object.entries(value)) {
      const check = checks.get(name);
      // The name of an unknown member is not ours to repeat.
      if (!check) return "";
      const path = check(member);
      if (path !== undefined) return path === "" ? name : `${name}.${path}`;
    }
    return undefined;
  };
}

export function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function list(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return "";
    for (const [i, item] of value.entries()) {
      const path = check(item as Json);
      if (path !== undefined) return path === "" ? String(i) : `${i}.${path}`;
    }
    return undefined;
  };
}

/** At least one. */
export function some(check: Check): Check {
  const all = list(check);
  return (value) => (Array.isArray(value) && value.length === 0 ? "" : all(value));
}

export function where(test: (value: Json) => boolean): Check {
  return (value) => (test(value) ? undefined : "");
}

export function matching(pattern: RegExp): Check {
  return where((value) => typeof value === "string" && pattern.test(value));
}

export function word<const W extends Json>(...words: readonly W[]): Check {
  return where((value) => (words as readonly Json[]).includes(value));
}

/** Text that is not empty. */
export const text: Check = where((value) => typeof value === "string" && value !== "");

/** A non-negative safe integer. */
export const count: Check = where(
  (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0,
);

/** Seconds since the epoch, as text. */
export const seconds: Check = matching(/^(?:0|[1-9][0-9]{0,11})$/);

/** 32 bytes in base64url: a hash, a commitment, a thumbprint, `x` of a key. */
export const bytes32: Check = where((value) => {
  if (typeof value !== "string" || value.length !== 43) return false;
  try {
    return fromBase64url(value).length === 32;
  } catch {
    return false;
  }
});

/** RFC 3339, UTC, milliseconds, and a moment that exists. */
export const time: Check = where((value) => {
  if (typeof value !== "string" || !/^[0-9]{4}-/.test(value)) return false;
  const moment = new Date(value);
  return !Number.isNaN(moment.getTime()) && moment.toISOString() === value;
});
