import { canonicalPresent } from "@behest/jws";
import type { Call } from "./call.ts";
import type { LiveSession } from "../session/live.ts";

/** Stands for a tool and the arguments that it was given, before they were parsed: equality only. Undefined where those are not known. */
export function givenKey(
  { vault }: LiveSession,
  { tool, given }: Pick<Call<never>, "tool" | "given">,
): string | undefined {
  if (given === undefined) return undefined;
  try {
    return vault.name("given", tool, canonicalPresent(given));
  } catch {
    return undefined;
  }
}
