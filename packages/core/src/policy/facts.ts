import { canonicalPresent } from "@behest/jws";
import type { PolicyRequest } from "./request.ts";

/** What an entry does not say itself of what policies were decided on; it holds names, so it is content. */
export type Facts = Omit<PolicyRequest, "tool" | "args" | "effect" | "boundary">;

/** As it is committed to: canonical JSON. Undefined for what is none, such as an amount that is no number: that was denied. */
export function factsText({
  tool: _tool,
  args: _args,
  effect: _effect,
  boundary: _boundary,
  ...facts
}: PolicyRequest): string | undefined {
  try {
    return canonicalPresent(facts);
  } catch {
    return undefined;
  }
}
