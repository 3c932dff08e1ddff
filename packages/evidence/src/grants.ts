import { checkArguments } from "@behest/delegation";
import { CodedError, type Json, parseJson } from "@behest/jws";
import type { ActionEntry } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
import { goes, namedArguments } from "./parts.ts";
import type { State } from "./report.ts";

/** What an evaluation came to, beside the state: why, where it is not proven. */
export interface Judged {
  readonly state: State;
  readonly code?: string;
  readonly message?: string;
}

export const PROVEN: Judged = { state: "proven" };

/** Arguments as a tool takes them, from the text that was committed to; undefined for a text that is no JSON. */
export function argumentsIn(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (CodedError.isInstance(error)) return undefined;
    throw error;
  }
}

/**
 * The grant of the chain's leaf over these arguments, against what the entry says of it: what starts or waits for persons
 * lies within it, said or not. Undefined where the entry is a denial, or shadow's, that says nothing.
 */
export function judgeGrant(
  entry: ActionEntry,
  delegation: KnownDelegation | undefined,
  args: Json | undefined,
): Judged | undefined {
  const { tool, effect, findings, observed } = entry;
  const said = goes(entry) ? "ok" : findings.find(({ check }) => check === "grant")?.code;
  if (said === undefined || observed) return undefined;
  const { tools, restrictions } = delegation?.verified ?? {};
  if (!tools)
    return { state: "not_shown", code: "chain_not_proven", message: "its chain is not proven here" };
  if (goes(entry) && restrictions?.effects?.includes(effect) === false)
    return differs("its effect is not granted");
  // A name that no grant has stands there in place of any: it was not granted, and says so.
  if (!Object.hasOwn(tools, tool))
    return said === "tool_not_granted" ? PROVEN : differs("the tool is not granted");
  if (args === undefined)
    return { state: "not_shown", code: "args_not_shown", message: "its arguments are not shown" };
  const refusal = checkArguments(tools, tool, namedArguments(args));
  return (refusal?.code ?? "ok") === said ? PROVEN : differs("its arguments are judged otherwise");
}

function differs(what: string): Judged {
  return {
    state: "failed",
    code: "grant_differs",
    message: `evaluated again, ${what}, against what its entry says`,
  };
}
