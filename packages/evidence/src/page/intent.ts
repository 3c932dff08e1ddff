import type { EvidenceDelegation, EvidenceRecord, State } from "../report.ts";
import { type Content, type Html, html } from "./escape.ts";
import type { Model } from "./model.ts";
import { badge, digest, facts, name } from "./values.ts";

/** Who meant what: the person, the delegations from there to the agent, the words that the model was given. */
export function intent(model: Model, record: EvidenceRecord): Html {
  const turn = model.interaction(record);
  const given = [
    model.content("What the model was given", record.interaction, turn?.content.instruction),
    model.content("Its standing instructions", record.interaction, turn?.content.system),
  ];
  if (record.observed)
    return html`<p>Nobody is shown to have delegated this: it was observed, and nothing stands behind it.</p>
      ${given}`;
  const chain = model.chain(record);
  const token = chain.at(-1)?.token;
  return html`${facts([
    ["At whose behest", html`${principalOf(chain)} ${badge(record.states.authority)}`],
    ["Consent", token && html`${token.consent}, as the issuer states it`],
    ["Through", chain.length > 0 ? hops(model, chain) : undefined],
    ["Revoked before it", record.states.revocation && revoked(record.states.revocation)],
  ])}${given.some(Boolean) ? given : html`<p>The words that led to it: no turn of a model is recorded with this action.</p>`}`;
}

/** The state is that of the proof that it was not. */
function revoked(state: State): Html {
  return html`${state === "proven" ? "no" : ""} ${badge(state)}`;
}

/** The name where the chain proves it, else the pseudonym. */
export function principalOf(chain: readonly EvidenceDelegation[]): Content {
  const leaf = chain.at(-1);
  if (!leaf) return "not shown";
  if (leaf.state === "erased") return html`somebody who was erased, pseudonym ${digest(leaf.pseudonym)}`;
  if (!leaf.token) return html`somebody whose name is not proven here, pseudonym ${digest(leaf.pseudonym)}`;
  const { issuer, subject } = leaf.token.principal;
  return html`${name(subject)}, asserted by ${name(issuer)}`;
}

function hops(model: Model, chain: readonly EvidenceDelegation[]): Html {
  return html`<ol>
    ${chain.map((hop) => {
      const agent = model.agent(hop);
      const task = hop.token?.task;
      return html`<li>
        ${model.link(hop.index)}
        ${agent === undefined ? "an agent without a name" : name(agent)}${agent !== undefined && hop.token?.agent === undefined ? " (so its process calls it)" : ""}${task === undefined ? undefined : html`, to do: <q>${name(task)}</q>`}
        ${badge(hop.state)}
      </li>`;
    })}
  </ol>`;
}
