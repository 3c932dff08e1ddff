import type { State } from "../report.ts";
import { type Content, type Html, cut, html } from "./escape.ts";

/** Characters of a name, and of a text. */
const NAME = 120;
const TEXT = 20_000;
/** A text up to this is shown without being asked for. */
const SHORT = 400;

const WORDS: { readonly [state in State | "altered"]: string } = {
  proven: "✓ proven",
  failed: "✗ failed",
  altered: "✗ altered",
  missing: "✗ missing",
  erased: "⊘ erased",
  pruned: "◌ pruned",
  not_shown: "○ not shown",
};

/** The state in words. */
export function badge(state: State | "altered" | undefined): Html {
  return state === undefined
    ? html`<span class="badge">– does not apply</span>`
    : html`<span class="badge ${state}">${WORDS[state]}</span>`;
}

/** A name as somebody else chose it: apart from the words around it. */
export function name(text: string): Html {
  return html`<bdi>${cut(text, NAME)}</bdi>`;
}

/** A hash, key or id: its beginning, and all of it on demand. */
export function digest(full: string): Html {
  if (full.length <= 16) return html`<code>${full}</code>`;
  return html`<details class="hash">
    <summary title="${cut(full, NAME)}"><code>${full.slice(0, 10)}…</code></summary>
    <code>${cut(full, 300)}</code>
  </details>`;
}

/** A text as it was kept, line by line. */
export function quoted(label: string, text: string, state: State): Html {
  return html`<details class="text" ${text.length <= SHORT ? html` open` : undefined}>
    <summary>${label} ${badge(state)} ${text.length} characters</summary>
    <pre><bdi>${cut(text, TEXT)}</bdi></pre>
  </details>`;
}

export function time(at: string): Html {
  return html`<time>${at}</time>`;
}

/** Names and what they are, a line each; what is undefined is left out. */
export function facts(rows: readonly (readonly [term: string, value: Content])[]): Html {
  const shown = rows.filter(([, value]) => value !== undefined);
  return html`<dl>
    ${shown.map(
      ([term, value]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** A row of a table: its first cell names it. */
export interface Row {
  readonly id?: number;
  readonly cells: readonly Content[];
}

/** Wide tables scroll by themselves, with keys too; on a narrow screen each cell is a line under its heading. */
export function table(caption: string, headings: readonly string[], rows: readonly Row[]): Html {
  const cell = (content: Content, i: number): Html =>
    i === 0 ? html`<th scope="row">${content}</th>` : html`<td data-of="${headings[i]}">${content}</td>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        <span>${caption}</span>
      </caption>
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ id, cells }) =>
            html`<tr${id === undefined ? undefined : html` id="${id}"`}>${cells.map(cell)}</tr>
`,
        )}
      </tbody>
    </table>
  </div> `;
}
