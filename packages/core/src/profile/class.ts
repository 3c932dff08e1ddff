import type { ConstraintMap, Json } from "@behest/delegation";
import { annotationsOf, profileFromMcp } from "./mcp.ts";
import { controlOf, isHeld } from "../policy/allowlisted.ts";
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

/**
 * Anywhere in a text, as lenient as those who open it: "http:host" and "\\\\host" are addresses to some, and a link
 * may stand in brackets. Two slashes within a path ("notes//today.md") begin none.
 */
const ADDRESS = /(?:(?<![a-z0-9])(?:https?|wss?|ftp):|(?<![\w./\\])[/\\]{2})[^\0-\x20]/i;

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
    ([name, value]) => hasAddress(value) && !isHeld(granted, name),
  );
}

/** At any depth, names of members included. */
function hasAddress(value: Json): boolean {
  if (typeof value === "object" && value !== null)
    return Object.entries(value).some(([name, member]) => hasAddress(name) || hasAddress(member as Json));
  // A line break inside is passed over by those who open it.
  return (
    typeof value === "string" && (ADDRESS.test(value) || ADDRESS.test(value.replaceAll(/[\t\n\r]/g, "")))
  );
}
