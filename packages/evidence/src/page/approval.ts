import type { EvidenceApproval, EvidenceRecord } from "../report.ts";
import { type Html, html } from "./escape.ts";
import type { Model } from "./model.ts";
import { badge, digest, name, time } from "./values.ts";
import { APPROVALS } from "./words.ts";

/** Which persons stand behind it, as the owner's manifest names the keys that signed. */
export function approval(model: Model, record: EvidenceRecord): Html {
  const approvals = model.approvals(record);
  const { states, verdict } = record;
  if (approvals.length === 0)
    return verdict === "ask"
      ? html`<p>
          Nobody yet: here it was asked for. What came of it is in later entries, where there are any.
        </p>`
      : states.approval === undefined
        ? html`<p>Nobody. It rests on no person's approval.</p>`
        : html`<p>What it rests on is not part of this. ${badge(states.approval)}</p>`;
  return html`<p>As a whole ${badge(states.approval)}</p>
    <ul>
      ${approvals.map((one) => html`<li>${model.link(one.index)} ${who(one)} ${badge(one.state)}</li>`)}
    </ul>`;
}

export function who({ kind, at, signed }: EvidenceApproval): Html {
  if (!signed) return html`Signed by no key that the owner's manifest names for it, ${time(at)}`;
  const { decision, person, group, key, until } = signed;
  return html`${name(person)}, for the group ${name(group)}, ${decision === "approve" ? "approved" : "denied"}
  ${APPROVALS[kind]}, ${time(at)}, good until ${time(until)}, key ${digest(key)}`;
}
