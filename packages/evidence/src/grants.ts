import { checkArguments } from "@behest/delegation";
import { CodedError, type Json, parseJson } from "@behest/jws";
import type { ActionEntry } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
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

/** The grant of the chain's leaf over these arguments, against what the entry says of it; undefined where it says nothing. */
export function judgeGrant(
  { tool, findings, observed }: ActionEntry,
  delegation: KnownDelegation | undefined,
  args: Json | undefined,
): Judged | undefined {
  const said = findings.find(({ check }) => check === "grant");
  if (!said || observed) return undefined;
  const tools = delegation?.verified?.tools;
  if (!tools)
    return { state: "not_shown", code: "chain_not_proven", message: "its chain is not proven here" };
  // A name that no grant has stands there in place of any: it was not granted, and says so.
  if (!Object.hasOwn(tools, tool))
    return said.code === "tool_not_granted" ? PROVEN : differs("the tool is not granted");
  if (args === undefined)
    return { state: "not_shown", code: "args_not_shown", message: "its arguments are not shown" };
  const isRecord = typeof args === "object" && args !== null && !Array.isArray(args);
  const named = isRecord ? (args as { readonly [name: string]: Json }) : { input: args };
  const refusal = checkArguments(tools, tool, named);
  return (refusal?.code ?? "ok") === said.code ? PROVEN : differs("its arguments, evaluated again,");
}

function differs(what: string): Judged {
  return { state: "failed", code: "grant_differs", message: `${what} give another answer than its entry` };
}
