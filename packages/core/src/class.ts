import type { ConstraintMap, Json } from "@behest/delegation";
import { annotationsOf, profileFromMcp } from "./mcp.ts";
import { controlOf, isHeld } from "./policy/allowlisted.ts";
import { type ActionClass, type Profile, classify, profileOf } from "./profile.ts";

/** The class of one call: what its profile says, made stricter by what its server and its arguments say. */
export function classOfCall(
  definition: object | undefined,
  named: Profile | undefined,
  args: Json,
  granted: ConstraintMap | undefined,
): ActionClass {
  const declared = profileOf(definition, named);
  const profile = declared && profileFromMcp(annotationsOf(definition), declared);
  const found = classify(profile, args);
  return found.boundary === "inside" && opensAddress(found, args, granted)
    ? { ...found, boundary: "outside" }
    : found;
}

/** As lenient as those who open it: "http:host" and "\\\\host" are addresses to some. */
const ADDRESS = /^[\0-\x20]*(?:(?:https?|wss?|ftp):|(?:[a-z][a-z0-9+.-]*:)?[/\\]{2})/i;

/**
 * A tool that "only reads inside" and is given an address opens it, and what it sends along leaves. Unless the
 * delegation says which addresses, or the profile looks at the arguments to say where it reads, that is outside.
 */
function opensAddress(
  { effect, profile }: ActionClass,
  args: Json,
  granted: ConstraintMap | undefined,
): boolean {
  if (effect !== "read" || typeof profile?.boundary === "function") return false;
  return controlOf(profile?.control, args).some(
    ([name, value]) =>
      [value].flat().some((item) => typeof item === "string" && isAddress(item)) && !isHeld(granted, name),
  );
}

function isAddress(text: string): boolean {
  // A line break inside is passed over by those who open it.
  return ADDRESS.test(text.replaceAll(/[\t\n\r]/g, ""));
}
