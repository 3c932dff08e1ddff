import type { ActionState } from "@behest/core/store";
import type { OutcomeWord } from "@behest/provenance";
import type { ActionRow } from "./work.ts";

/** Texts of pairs, by which rows are found in memory. */
export function pairOf(issuer: string, subject: string): string {
  return JSON.stringify([issuer, subject]);
}

export function turnOf({ run, key }: { readonly run: string; readonly key: string }): string {
  return JSON.stringify([run, key]);
}

/** What the rules are asked with. */
export function stateOf(row: ActionRow): ActionState {
  const { args, given, attempt, repeatable, charged, outcome, code } = row;
  return {
    args,
    given: given ?? undefined,
    attempt,
    repeatable,
    charged: charged === null ? [] : charged.split(" "),
    outcome: (outcome ?? undefined) as OutcomeWord | undefined,
    code: code ?? undefined,
  };
}
