import { existsSync } from "node:fs";
import { type Profile, findLocal, readProfiles } from "@behest/core";
import { classOfCall } from "@behest/core/policy";
import type { ConstraintMap } from "@behest/delegation";
import type { Json } from "@behest/jws";
import { type WrittenAction, malformed, members } from "./action.ts";

/**
 * The action with what this folder's profiles say of its tool, as an agent here would have it; undefined where they say
 * nothing, or it says itself what it does. Throws `profiles_invalid`, `malformed_input`.
 */
export function profiled(action: WrittenAction): WrittenAction | undefined {
  const path = findLocal()?.profiles;
  const { tool, args = {}, effect, boundary, declared } = action;
  if (path === undefined || (effect ?? boundary ?? declared) !== undefined || !existsSync(path))
    return undefined;
  const profiles = readProfiles(path);
  const profile = Object.hasOwn(profiles, tool) ? profiles[tool] : undefined;
  if (!profile) return undefined;
  const found = classOfCall(undefined, profile, args, action.allowlisted ? held(args) : undefined);
  const touched = found.invalid ? undefined : touches(profile, args);
  if (!touched)
    throw malformed(`${path} does not answer for "${tool}" with these arguments, so it would be denied.`);
  const { workspace, amount } = found;
  return {
    effect: found.effect,
    boundary: found.boundary,
    ...touched,
    ...(workspace !== undefined && { workspace }),
    ...(amount && { amount }),
    ...action,
  };
}

/** What a delegation that holds every argument grants. */
function held(args: Json): ConstraintMap {
  const named = members(args) ?? { input: args };
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => [name, { constraint_type: "exact", value }]),
  );
}

/** Undefined where it lacks an argument. */
function touches({ resource }: Profile, args: Json): Pick<WrittenAction, "resource"> | undefined {
  try {
    return resource ? { resource: resource(args as never) } : {};
  } catch {
    return undefined;
  }
}
