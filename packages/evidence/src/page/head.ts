import type { EvidenceFinding } from "../report.ts";
import { type Html, html } from "./escape.ts";
import type { Model } from "./model.ts";
import { badge, facts, name, time } from "./values.ts";

/** Findings of one code that are listed one by one. */
const MOST = 200;

/** What this is, what it was verified against, and what speaks against it, before anything else. */
export function head(model: Model, owner: string): Html {
  const { report } = model;
  const { log, records, findings, ok } = report;
  const { origin, size, root, hidden, rung, witnessed } = log;
  const wrong = findings.filter(({ state }) => state === "failed" || state === "missing");
  const open = findings.filter(({ state }) => state !== "failed" && state !== "missing");
  const shadow = records.filter(({ enforce }) => enforce === "shadow").length;
  const observed = records.filter(({ observed: is }) => is).length;
  const overridden = records.filter(({ override }) => override).length;
  return html`<header>
    <h1>Who acted, at whose behest</h1>
    <p>
      The evidence of ${records.length} actions of AI agents, as it was verified offline when this page was
      written, from the owner's key alone. The page is a reading of that evidence, not evidence itself:
      whoever needs proof verifies the bundle.
    </p>
    ${ok ? html`<p class="fine">✓ Verified: nothing speaks against it. ${complete(log)}</p>` : html`<p class="alarm">✗ Not verified: ${wrong.length} findings speak against it. ${complete(log)}</p>`}
    ${
      wrong.length > 0
        ? html`<section aria-labelledby="failed">
            <h2 id="failed">What speaks against it</h2>
            ${list(model, wrong)}
          </section>`
        : undefined
    }${overridden > 0 ? html`<p class="alarm">BREAK-GLASS: ${overridden} of the actions went ahead under a person's override.</p>` : undefined}${
      shadow > 0
        ? html`<p class="alarm">
            SHADOW: ${shadow} of the actions were only watched. Nothing was enforced for them.
          </p>`
        : undefined
    }${
      observed > 0
        ? html`<p class="alarm">
            OBSERVED: behind ${observed} of the actions there is no delegation at all.
          </p>`
        : undefined
    }${rung === "local" ? html`<p class="note">Rung local: all keys of this log were made on one machine, so whoever holds that machine could have signed everything in it.</p>` : undefined}${
      hidden > 0
        ? html`<p class="note">
            A part: ${hidden} of the log's ${size} entries are not shown. Nothing can be told of them but how
            many there are.
          </p>`
        : undefined
    }
    ${facts([
      ["Log", origin === undefined ? "not named by a manifest of this owner" : name(origin)],
      ["Owner", html`<code>${owner}</code>, pinned: it must have come from the owner, not with the bundle`],
      ["Entries", hidden > 0 ? `${size - hidden} of ${size} are shown` : `${size}, all shown`],
      ...witnessed.map(
        ({ name: witness, at, size: seen }) =>
          ["Witness", html`${name(witness)} has cosigned ${seen} entries, ${time(dateOf(at))}`] as const,
      ),
      ["Head", html`<code>${size}:${root}</code>`],
    ])}${
      open.length > 0
        ? html`<details>
            <summary>
              What is not shown, and can be neither proven nor disproved here: ${open.length} findings
            </summary>
            ${list(model, open)}
          </details>`
        : undefined
    }
  </header>`;
}

/** A date that a witness made up may be none. */
function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "at no date" : date.toISOString();
}

function complete({ completeness, findings }: Model["report"]["log"]): string {
  if (findings.some(({ index, code }) => index === 0 && code === "owner_mismatch"))
    return "Another owner has signed it than the one who is pinned: compare the thumbprint with the owner's, character by character.";
  switch (completeness) {
    case "not consistent":
      return "The entries and the checkpoint do not belong together.";
    case "consistent, not proven complete":
      return "The log is consistent, not proven complete: only a head that somebody else has kept shows that nothing was cut off or rewritten.";
    default:
      return `The log is ${completeness}, the head that somebody else has kept.`;
  }
}

function list(model: Model, findings: readonly EvidenceFinding[]): Html {
  const groups = [...Map.groupBy(findings, ({ state, check, code }) => `${state} ${check} ${code}`).values()];
  return html`<ul>
    ${groups.map((same) => {
      const { state, check, code, message } = same[0]!;
      const places = same.slice(0, MOST).map(({ index }) => html`${model.link(index)} `);
      const more = same.length > MOST ? `and ${same.length - MOST} more` : "";
      return html`<li>
        ${badge(state)} ${check} <strong>${code}</strong>: ${message}, at ${places}${more}
      </li>`;
    })}
  </ul>`;
}
