import { type Json, canonical, parseJson } from "@behest/jws";
import { named } from "../action/arguments.ts";
import type { Content } from "../store/types.ts";
import type { Vault } from "./content.ts";

/** Begins the ids of the pieces that a search finds; the rest is a keyed name. */
const TERM = "term:";
/** Pieces beside one entry. */
const MOST = 16;

/** What an argument is found by: equal values of one principal have equal names, which mean nothing without its key. */
export function termOf(vault: Vault, tool: string, argument: string, value: Json): string {
  return TERM + vault.name("term", tool, argument, canonical(value));
}

/**
 * The blind index of a call: one empty piece of content for each argument that its profile declares as `control`, beside
 * the action's entry. Erased with everything else of the principal. `text`: canonical arguments, where they are JSON.
 */
export function termsOf(
  vault: Vault,
  tool: string,
  text: string,
  control: readonly string[] | undefined,
): readonly Content[] {
  // A profile in code may have been written without its types: what it declares so is not looked for.
  if (!Array.isArray(control)) return [];
  const args = named(argsIn(text));
  return control
    .filter((name: string) => Object.hasOwn(args, name))
    .slice(0, MOST)
    .map((name: string) => ({
      id: termOf(vault, tool, name, args[name]!),
      principal: vault.principal,
      sealed: new Uint8Array(),
    }));
}

function argsIn(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return {};
  }
}
