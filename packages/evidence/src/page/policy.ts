import { type Json, parseJson } from "@behest/jws";
import type { ActionEntry, EntryFinding, EvidenceBundle } from "@behest/provenance";
import { textOf } from "../parts.ts";
import type { EvidenceRecord, State } from "../report.ts";
import { meaning } from "./codes.ts";
import { type Content, type Html, html } from "./escape.ts";
import type { Model } from "./model.ts";
import { badge, digest, facts, name, quoted } from "./values.ts";
import { VERDICTS } from "./words.ts";

/** What was checked, what decided, and whether it decides the same when it is evaluated again. */
export function policy(model: Model, record: EvidenceRecord, rules: Rules): Html {
  const entry = model.action(record);
  if (!entry) return html`<p>${badge("not_shown")}</p>`;
  const { states } = record;
  const set = entry.policy;
  return html`${facts([
    ["Verdict", html`${VERDICTS[record.verdict]} ${badge(states.entry)}`],
    ["Within what was delegated", granted(entry, states.grant)],
    [
      "Policies",
      set === undefined
        ? "none: grants alone decided"
        : html`${digest(set)} evaluated again ${badge(states.policy)}`,
    ],
    [
      "Checks",
      html`<ul>
        ${entry.findings.map((finding) => check(finding))}
      </ul>`,
    ],
  ])}${texts(entry, rules).map(([id, text]) => quoted(`The rule ${id}`, text, model.state(record.index)))}${model.content("What else it was decided on", record.index, entry.content.facts)}`;
}

/** As its entry says; the state is whether the grants, evaluated again over the arguments, say the same. */
function granted({ findings }: ActionEntry, state: State | undefined): Content {
  const found = findings.find(({ check: what }) => what === "grant");
  if (!found) return state && badge(state);
  return html`${found.code === "ok" ? "yes" : "no"}, evaluated again ${badge(state)}`;
}

function check({ check: what, code, rule, path }: EntryFinding): Html {
  const words = meaning(code);
  return html`<li>
    ${name(what)}:
    <strong>${name(code)}</strong
    >${words === undefined ? undefined : html` (${words})`}${rule === undefined || rule === "" ? undefined : html`, decided by ${name(rule)}`}${path === undefined ? undefined : html`, at ${name(path)}`}
  </li>`;
}

/** Of the rules that its findings name, those whose text is shown. */
function texts({ policy: set, findings }: ActionEntry, rules: Rules): [id: string, text: string][] {
  if (set === undefined) return [];
  const named = findings.flatMap(({ rule }) => rule?.split(", ") ?? []);
  return [...new Set(named)].flatMap((id): [string, string][] => {
    const text = rules.text(set, id);
    return text === undefined ? [] : [[id, text]];
  });
}

/** Texts of rules, out of those sets of policies that are what their digests say. */
export class Rules {
  readonly #documents: EvidenceBundle["documents"];
  readonly #sets = new Map<string, ReadonlyMap<string, string>>();

  constructor({ documents }: EvidenceBundle) {
    this.#documents = documents;
  }

  text(set: string, id: string): string | undefined {
    const known = this.#sets.get(set) ?? rulesIn(textOf(this.#documents, set));
    this.#sets.set(set, known);
    return known.get(id);
  }
}

/** A document of policies as core's `Policies.document` writes it; of another text, none. */
function rulesIn(document: string | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (document === undefined) return found;
  let value: Json;
  try {
    value = parseJson(document);
  } catch {
    return found;
  }
  const { policies } = (value ?? {}) as { readonly policies?: Json };
  for (const rule of Array.isArray(policies) ? (policies as readonly Json[]) : []) {
    const [id, text] = Array.isArray(rule) ? (rule as readonly Json[]) : [];
    if (typeof id === "string" && typeof text === "string") found.set(id, text);
  }
  return found;
}
