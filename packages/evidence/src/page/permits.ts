import type { Constraint, ConstraintMap } from "@behest/delegation";
import { type Json, canonical } from "@behest/jws";
import type { EvidenceDelegation } from "../report.ts";
import { type Content, type Html, cut, html } from "./escape.ts";
import { name } from "./values.ts";

type Token = NonNullable<EvidenceDelegation["token"]>;

/** Characters of one rule. */
const RULE = 300;

/** What a delegation permits, in words: its tools with what their arguments may be, and what restricts all of them. */
export function permits({ tools, restrictions = {} }: Token): Html {
  return html`<ul>
    ${Object.entries(tools).map(([tool, rules]) => html`<li>${name(tool)}: ${argumentsOf(rules)}</li>`)}
    ${Object.entries(restrictions).map(([what, value]) => html`<li>${RESTRICTIONS[what as keyof typeof RESTRICTIONS]}: ${json(value)}</li>`)}
  </ul>`;
}

const RESTRICTIONS: { readonly [what in keyof Required<NonNullable<Token["restrictions"]>>]: string } = {
  workspace: "nothing outside of the workspace",
  limits: "limits",
  fan_out: "delegations derived directly from it, at most",
  effects: "only these effects",
  approvals: "persons have to approve",
  consent: "consent, at least",
  status: "status list",
};

function argumentsOf(rules: ConstraintMap): Content {
  const all = Object.entries(rules);
  const named = all.filter(([argument]) => argument !== "*");
  const rest = rules["*"];
  const parts = named.map(
    ([argument, rule]) =>
      html`<code>${cut(argument, RULE)}</code> is ${ruleOf(rule)}${rule.optional === true ? " or absent" : ""}`,
  );
  if (rest || all.length === 0) parts.push(html`any other is ${ruleOf(rest ?? ANYTHING)}`);
  return parts.map((part, i) => html`${i > 0 ? "; " : ""}${part}`);
}

const ANYTHING: Constraint = { constraint_type: "wildcard" };

/** One rule; what there are no words for, as it stands in the token. */
function ruleOf(rule: Constraint): Content {
  const { optional: _, constraint_type: type, ...members } = rule;
  const { value, values, excluded, allowed, min, max, prefix, address, domain, under, base } = members;
  switch (type) {
    case "wildcard":
      return "anything";
    case "exact":
      return json(value);
    case "one_of":
      return html`one of ${json(values)}`;
    case "not_one_of":
      return html`none of ${json(excluded)}`;
    case "subset":
      return html`a list of nothing but ${json(allowed)}`;
    case "decimal":
    case "range":
      if (members["min_inclusive"] === false || members["max_inclusive"] === false) break;
      if (max === undefined) return html`at least ${json(min)}`;
      return min === undefined ? html`at most ${json(max)}` : html`${json(min)} to ${json(max)}`;
    case "prefix":
      return html`text that begins with ${json(prefix)}`;
    case "email":
      return address === undefined ? html`an address of ${json(domain)}` : json(address);
    case "path":
      return html`a path below ${json(under)}`;
    case "url":
      return html`a URL at or below ${json(base)}`;
    default:
  }
  return json(rule as Json);
}

function json(value: Json | undefined): Html {
  return html`<code>${cut(canonical(value ?? null), RULE)}</code>`;
}
