import type { Aspect, EvidenceRecord } from "../report.ts";
import { approval } from "./approval.ts";
import { call, response } from "./call.ts";
import { decision } from "./decision.ts";
import { type Html, html } from "./escape.ts";
import { intent } from "./intent.ts";
import type { Model } from "./model.ts";
import { type Rules, policy } from "./policy.ts";
import { badge, digest, facts, name, time } from "./values.ts";
import { ASPECTS, VERDICTS, hasFailed, marksOf } from "./words.ts";

/** One action, under the index of its entry: six questions, and what proves the answers. */
export function action(model: Model, rules: Rules, record: EvidenceRecord): Html {
  const { index, tool, verdict, at, states } = record;
  const marks = marksOf(record);
  const hash = model.hash(index);
  const wrong = [record.interaction, record.outcome, index]
    .flatMap((place) => model.findings(place))
    .filter(({ state }) => state === "failed" || state === "missing");
  return html`<article id="${index}" class="action">
    <h3><a href="#${index}">#${index}</a> ${name(tool)}: ${VERDICTS[verdict]}</h3>
    <p>${time(at)} ${marks.map((mark) => html`<strong class="mark">${mark}</strong> `)}</p>
    ${
      hasFailed(record) || wrong.length > 0
        ? html`<div class="alarm">
            <p>Something speaks against this record. What follows is only what it claims.</p>
            <ul>
              ${wrong.map(({ check, code, message }) => html`<li>${check} ${code}: ${message}</li>`)}
            </ul>
          </div>`
        : undefined
    }
    <h4>What was the intent?</h4>
    ${intent(model, record)}
    <h4>What did the agent decide?</h4>
    ${decision(model, record)}
    <h4>What policy ran?</h4>
    ${policy(model, record, rules)}
    <h4>Who approved?</h4>
    ${approval(model, record)}
    <h4>What call was made, with which credential?</h4>
    ${call(model, record)}
    <h4>What came back?</h4>
    ${response(model, record)}
    <details>
      <summary>What is proven of it</summary>
      ${facts([
        ...(Object.keys(ASPECTS) as Aspect[]).map(
          (aspect) => [ASPECTS[aspect], badge(states[aspect])] as const,
        ),
        ["id", digest(record.action)],
        ["entry", hash === undefined ? undefined : digest(hash)],
      ])}
    </details>
  </article> `;
}
