import type { Json } from "@behest/jws";
import { freeze } from "./arguments.ts";

/** To and from JSON, for results that are not. `undefined`: this one cannot be replayed. */
export interface Codec<T> {
  encode(value: T): Json | undefined;
  decode(json: Json): T;
}

/** Canonical text of a result, "" for none; undefined where it has no JSON form. */
export function encode<T>(value: T, codec: Codec<T> | undefined): string | undefined {
  try {
    const json = codec ? codec.encode(value) : (value as Json | undefined);
    if (json === undefined) return codec ? undefined : "";
    return freeze(json).text;
  } catch {
    return undefined;
  }
}

export function decode<T>(text: string, codec: Codec<T> | undefined): T {
  if (text === "") return undefined as T;
  const json = JSON.parse(text) as Json;
  return codec ? codec.decode(json) : (json as T);
}
