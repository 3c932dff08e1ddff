import type { EvidenceRecord } from "../report.ts";
import { type Html, html } from "./escape.ts";
import type { Model } from "./model.ts";
import { badge, digest, facts, name } from "./values.ts";

/** What the agent decided: the turn of its model, the calls that it chose, and what its holder signed. */
export function decision(model: Model, record: EvidenceRecord): Html {
  const { interaction, observed, states } = record;
  const turn = model.interaction(record);
  const linked = model.action(record)?.links.interaction !== undefined;
  const leaf = model.chain(record).at(-1);
  const agent = model.agentOf(record);
  const signature = observed
    ? "nothing: it was observed, and nobody holds a delegation"
    : html`the holder of the delegation signed that it wants this very action, tool and arguments
      ${badge(states.decision)} ${leaf && html`key ${digest(leaf.holder)}`}`;
  const told = turn && [
    [
      "Model",
      html`${name(turn.model)} of ${name(turn.provider)} ${badge(model.state(interaction))}`,
    ] as const,
    ["Calls that it chose in this turn", calls(turn.calls, record)] as const,
  ];
  return html`${facts([
    ["Agent", agent === undefined ? "not named" : name(agent)],
    ...(told ?? [["Model", linked ? badge("not_shown") : "no turn is recorded with this action"] as const]),
    ["Signed", signature],
  ])}${
    turn && [
      model.content("What it answered", interaction, turn.content.response),
      model.content("What else it could have called", interaction, turn.content.tools),
      model.content("What it turned down", interaction, turn.content.alternatives),
      model.content("Its reasoning", interaction, turn.content.reasoning),
    ]
  }`;
}

function calls(
  chosen: readonly { readonly action: string; readonly tool: string }[],
  { action }: EvidenceRecord,
): Html {
  return html`<ul>
    ${chosen.map(
      (call) => html`<li>${name(call.tool)}${call.action === action ? " (this action)" : ""}</li>`,
    )}
  </ul>`;
}
