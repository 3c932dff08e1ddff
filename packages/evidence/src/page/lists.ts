import type { Aspect, EvidenceRecord, State } from "../report.ts";
import { who } from "./approval.ts";
import { type Html, html } from "./escape.ts";
import { principalOf } from "./intent.ts";
import type { Model } from "./model.ts";
import { badge, name, table, time } from "./values.ts";
import { ASPECTS, OUTCOMES, VERDICTS, marksOf } from "./words.ts";

/** Every action, a row each. */
export function actions(model: Model): Html {
  const headings = ["Entry", "When", "At whose behest", "Agent", "Tool", "Verdict", "Outcome", "State"];
  return table(
    "Actions, in the order of the log",
    headings,
    model.report.records.map((record) => row(model, record)),
  );
}

function row(model: Model, record: EvidenceRecord): Html {
  const { index, at, principal, tool, verdict, result } = record;
  const marks = marksOf(record);
  const agent = model.agentOf(record);
  const reason = model.reason(record);
  return html`<tr>
    <th scope="row">${model.link(index)}</th>
    <td>${time(at)}</td>
    <td>${principal ? name(principal.subject) : "not proven"}</td>
    <td>${called(agent)}</td>
    <td>${name(tool)}</td>
    <td>
      ${VERDICTS[verdict]}${reason === undefined ? undefined : html` (${name(reason)})`}
      ${marks.map((mark) => html`<strong class="mark">${mark}</strong> `)}
    </td>
    <td>${verdict !== "permit" ? "–" : result ? OUTCOMES[result] : "not recorded here"}</td>
    <td>${summary(record)}</td>
  </tr> `;
}

function called(agent: string | undefined): Html | string {
  return agent === undefined ? "not named" : name(agent);
}

/** Its worst first; what is proven is not listed. */
function summary({ states }: EvidenceRecord): Html {
  const held = Object.entries(states) as [Aspect, State][];
  const parts = (["failed", "missing", "erased", "not_shown"] as const).flatMap((state) => {
    const aspects = held.filter(([, one]) => one === state).map(([aspect]) => ASPECTS[aspect]);
    return aspects.length > 0 ? [html`${badge(state)} ${aspects.join(", ")} `] : [];
  });
  return parts.length > 0 ? html`${parts}` : badge("proven");
}

/** Every hop that entries link to. */
export function delegations(model: Model): Html {
  const headings = ["Entry", "Under", "On behalf of", "Agent", "Task", "Tools", "Until", "State"];
  const rows = model.report.delegations.map(
    (one) =>
      html`<tr id="${one.index}">
        <th scope="row">${model.link(one.index)}</th>
        <td>${one.parent === undefined ? "–" : model.link(one.parent)}</td>
        <td>${principalOf([one])}</td>
        <td>${called(model.agent(one))}</td>
        <td>${one.token?.task === undefined ? "–" : name(one.token.task)}</td>
        <td>${(one.token?.tools ?? []).map((tool) => html`${name(tool)} `)}</td>
        <td>${one.token ? time(one.token.expires) : "–"}</td>
        <td>${badge(one.state)}</td>
      </tr> `,
  );
  return rows.length > 0 ? table("Delegations", headings, rows) : html`<p>None is shown.</p>`;
}

/** Everything that persons signed, also what no action came to rest on. */
export function approvals(model: Model): Html {
  const rows = model.report.approvals.map(
    (one) =>
      html`<tr id="${one.index}">
        <th scope="row">${model.link(one.index)}</th>
        <td>${who(one)}</td>
        <td>${model.asked(one).map((index) => html`${model.link(index)} `)}</td>
        <td>${badge(one.state)}</td>
      </tr> `,
  );
  return rows.length > 0
    ? table("Approvals", ["Entry", "Who", "Asked for by", "State"], rows)
    : html`<p>None is shown.</p>`;
}
