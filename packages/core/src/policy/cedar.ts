import type * as Wasm from "@cedar-policy/cedar-wasm/nodejs";

export type Cedar = typeof Wasm;

let loading: Promise<Cedar> | undefined;

/** Cedar itself, loaded by the first who has policies. */
export function cedar(): Promise<Cedar> {
  return (loading ??= import("@cedar-policy/cedar-wasm/nodejs"));
}
