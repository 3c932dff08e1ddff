import type { Json } from "@behest/jws";

/** A subject identifier (RFC 9493; OpenID Shared Signals Framework 1.0, section 3). */
export interface Subject {
  readonly format: string;
  readonly [member: string]: Json;
}

export function isSubject(value: Json | undefined): value is { readonly [name: string]: Json } & Subject {
  return isObject(value) && typeof value["format"] === "string";
}

export function isObject(value: unknown): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
