import { type PublicJwk, publicJwk } from "@behest/jws";
import { DelegationError } from "./error.ts";

/** Refuses members that would be dropped: a restriction that is ignored is a hole. Throws `malformed_request`. */
export function onlyMembers(request: object, names: readonly string[]): void {
  for (const [name, value] of Object.entries(request))
    if (value !== undefined && !names.includes(name)) malformed(name, "is not understood here");
}

export function text(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "" || !value.isWellFormed())
    malformed(name, "expected a non-empty string");
  return value;
}

export function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : text(value, name);
}

/** Whole seconds since the epoch: what the caller says, or the clock. */
export function time(now: number | undefined): number {
  if (now === undefined) return Math.floor(Date.now() / 1000);
  if (!Number.isSafeInteger(now)) malformed("now", "expected whole seconds since the epoch");
  return now;
}

/** Whose key a token will be bound to. */
export function boundKey(value: unknown): PublicJwk {
  try {
    return publicJwk(value);
  } catch (cause) {
    throw new DelegationError("malformed_request", "holder: expected an Ed25519 public key", { cause });
  }
}

export function malformed(name: string, what: string): never {
  throw new DelegationError("malformed_request", `${name}: ${what}`);
}
