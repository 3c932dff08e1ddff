import type { EvidenceRecord } from "../report.ts";
import { type Html, html } from "./escape.ts";
import type { Model } from "./model.ts";
import { badge, digest, facts, name, time } from "./values.ts";
import { OUTCOMES } from "./words.ts";

/** The call as it was made, or would have been. */
export function call(model: Model, record: EvidenceRecord): Html {
  const entry = model.action(record);
  if (!entry) return html`<p>${badge("not_shown")}</p>`;
  const outcome = model.outcome(record);
  const { attempt, effect, boundary, trace } = entry;
  const started = outcome?.started;
  const credential = outcome?.credential;
  return html`${facts([
    ["Tool", html`${name(record.tool)} (${effect}, ${boundary} the boundary) ${badge(record.states.entry)}`],
    ["Attempt", record.verdict === "permit" ? String(attempt) : "none: nothing was called"],
    ["Started", started === undefined ? undefined : html`${time(started)} ${badge(record.states.outcome)}`],
    [
      "Credential",
      record.verdict !== "permit"
        ? undefined
        : credential === undefined
          ? "none is recorded"
          : html`the one named ${name(credential)}; its value is never recorded
            ${badge(record.states.outcome)}`,
    ],
    ["Span", trace && html`${digest(trace.trace)} ${digest(trace.span)}`],
  ])}${model.content("Arguments", record.index, entry.content.args)}`;
}

export function response(model: Model, record: EvidenceRecord): Html {
  const outcome = model.outcome(record);
  if (record.verdict !== "permit") return html`<p>Nothing: nothing was called.</p>`;
  if (!outcome)
    return html`<p>
      Not recorded here: it may still run, or its outcome is not part of this. ${badge(record.states.outcome)}
    </p>`;
  return html`${facts([
    ["Outcome", html`${OUTCOMES[outcome.outcome]} (${name(outcome.code)}) ${badge(record.states.outcome)}`],
    ["Ended", outcome.ended === undefined ? undefined : time(outcome.ended)],
    ["Entry", record.outcome === undefined ? undefined : `#${record.outcome}`],
  ])}${model.content("Result", record.outcome, outcome.content.result)}`;
}
