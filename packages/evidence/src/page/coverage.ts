import { counted } from "./counted.ts";
import { CROSSWALK, type Framework, type Requirement } from "./crosswalk.ts";
import { type Html, html } from "./escape.ts";
import type { Model } from "./model.ts";
import { type Row, table } from "./values.ts";

/** Requirement by requirement: what in this bundle supports it, counting only what is proven. */
export function coverage(model: Model): Html {
  const found = counted(model);
  const row = ({ of, asks, supported, beyond }: Requirement): Row => {
    const fields = supported.flatMap((field) => field(found) ?? []);
    const support =
      fields.length > 0
        ? html`<ul>
            ${fields.map((field) => html`<li>${coded(field)}</li>`)}
          </ul>`
        : html`<strong>not covered</strong>`;
    return { cells: [of, asks, support, beyond ?? "–"] };
  };
  return html`<p>
      What in this bundle supports which requirement, counting only what is proven. Whether a requirement is
      met is for those to judge who know the whole system; a record supports, it does not decide.
    </p>
    ${CROSSWALK.map(
      ({ title, note, requirements }: Framework) =>
        html`<h3>${title}</h3>
          <p>${note}</p>
          ${table(title, ["Requirement", "In short", "Supported by", "Not shown by any bundle"], requirements.map(row))}`,
    )}`;
}

/** Text of our own with names of fields in backticks. */
function coded(text: string): Html {
  return html`${text.split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}
