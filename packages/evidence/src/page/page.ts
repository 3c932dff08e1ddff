import { sha256Text } from "@behest/jws";
import type { EvidenceBundle } from "@behest/provenance";
import type { EvidenceReport } from "../report.ts";
import { action } from "./action.ts";
import { coverage } from "./coverage.ts";
import { html, styleElement } from "./escape.ts";
import { head } from "./head.ts";
import { actions, approvals, delegations } from "./lists.ts";
import { Model } from "./model.ts";
import { overview } from "./overview.ts";
import { Rules } from "./policy.ts";
import { STYLE } from "./style.ts";

export interface ReportOptions {
  /** The owner's thumbprint that the report was made under. */
  readonly owner: string;
}

/** Nothing is loaded and nothing runs; the only style is ours, by its hash (CSP 3). */
const CSP = `default-src 'none'; style-src 'sha256-${standardBase64(sha256Text(STYLE))}'; base-uri 'none'; form-action 'none'`;

/**
 * One HTML page for people, complete in itself, of a bundle and of what `verifyEvidence` said of that very bundle:
 * nothing is verified again here. It has no script, loads nothing, and shows every value of the bundle as text. An
 * action's section has the index of its entry as its id.
 */
export function renderReport(
  bundle: EvidenceBundle,
  report: EvidenceReport,
  { owner }: ReportOptions,
): string {
  const model = new Model(bundle, report);
  const rules = new Rules(bundle);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${CSP}" />
        <meta name="referrer" content="no-referrer" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>Who acted, at whose behest</title>
        ${styleElement(STYLE)}
      </head>
      <body>
        ${head(model, owner)}
        <nav aria-label="Parts of this page">
          <ul>
            <li><a href="#graph">Graph</a></li>
            <li><a href="#actions">Actions</a></li>
            <li><a href="#delegations">Delegations</a></li>
            <li><a href="#approvals">Approvals</a></li>
            <li><a href="#answers">Action by action</a></li>
            <li><a href="#crosswalk">Requirements</a></li>
          </ul>
        </nav>
        <main>
          <section aria-labelledby="graph">
            <h2 id="graph">Graph</h2>
            <p>
              From the links of the entries themselves, in the order of the log. From above: a person, what
              was delegated (diamond), what was done under it (circle), who approved (square, from where it
              was asked for to what it let start). Actions in a row that are alike are drawn once. The table
              below has every one.
            </p>
            ${overview(model)}
          </section>
          <section aria-labelledby="actions">
            <h2 id="actions">Actions</h2>
            ${actions(model)}
          </section>
          <section aria-labelledby="delegations">
            <h2 id="delegations">Delegations</h2>
            ${delegations(model)}
          </section>
          <section aria-labelledby="approvals">
            <h2 id="approvals">Approvals</h2>
            ${approvals(model)}
          </section>
          <section aria-labelledby="answers">
            <h2 id="answers">Action by action</h2>
            ${report.records.map((record) => action(model, rules, record))}
          </section>
          <section aria-labelledby="crosswalk">
            <h2 id="crosswalk">Requirements, and what supports them</h2>
            ${coverage(model)}
          </section>
        </main>
      </body>
    </html> `;
  return page.text;
}

function standardBase64(base64url: string): string {
  const padded = base64url.padEnd(Math.ceil(base64url.length / 4) * 4, "=");
  return padded.replaceAll("-", "+").replaceAll("_", "/");
}
