import type { Aspect, EvidenceRecord, State } from "../report.ts";
import { who } from "./approval.ts";
import { type Html, html } from "./escape.ts";
import { principalOf } from "./intent.ts";
import type { Model } from "./model.ts";
import { permits } from "./permits.ts";
import { type Row, badge, name, table, time } from "./values.ts";
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

function row(model: Model, record: EvidenceRecord): Row {
  const { index, at, principal, tool, verdict, result } = record;
  const marks = marksOf(record);
  const agent = model.agentOf(record);
  const reason = model.reason(record);
  return {
    cells: [
      model.link(index),
      time(at),
      principal ? name(principal.subject) : "not proven",
      called(agent),
      name(tool),
      html`${VERDICTS[verdict]}${reason === undefined ? undefined : html` (${name(reason)})`}
      ${marks.map((mark) => html`<strong class="mark">${mark}</strong> `)}`,
      verdict !== "permit" ? "–" : result ? OUTCOMES[result] : "not recorded here",
      summary(record),
    ],
  };
}

function called(agent: string | undefined): Html | string {
  return agent === undefined ? "not named" : name(agent);
}

/** Its worst first; what is proven is not listed. */
function summary({ states }: EvidenceRecord): Html {
  const held = Object.entries(states) as [Aspect, State][];
  const parts = (["failed", "missing", "erased", "pruned", "not_shown"] as const).flatMap((state) => {
    const aspects = held.filter(([, one]) => one === state).map(([aspect]) => ASPECTS[aspect]);
    return aspects.length > 0 ? [html`${badge(state)} ${aspects.join(", ")} `] : [];
  });
  return parts.length > 0 ? html`${parts}` : badge("proven");
}

/** Every hop that entries link to. */
export function delegations(model: Model): Html {
  const headings = ["Entry", "On behalf of", "Agent", "What for", "Until", "State"];
  const rows = model.report.delegations.map((one) => ({
    id: one.index,
    cells: [
      html`${model.link(one.index)}${one.parent === undefined ? undefined : html` under ${model.link(one.parent)}`}`,
      principalOf([one]),
      called(model.agent(one)),
      one.token
        ? html`${one.token.task === undefined ? undefined : html`<q>${name(one.token.task)}</q>, with`}
          ${permits(one.token)}`
        : "–",
      one.token ? time(one.token.expires) : "–",
      badge(one.state),
    ],
  }));
  return rows.length > 0 ? table("Delegations", headings, rows) : html`<p>None is shown.</p>`;
}

/** Everything that persons signed, also what no action came to rest on. */
export function approvals(model: Model): Html {
  const rows = model.report.approvals.map((one) => ({
    id: one.index,
    cells: [
      model.link(one.index),
      who(one),
      model.asked(one).map((index) => html`${model.link(index)} `),
      badge(one.state),
    ],
  }));
  return rows.length > 0
    ? table("Approvals", ["Entry", "Who", "Asked for by", "State"], rows)
    : html`<p>None is shown.</p>`;
}
