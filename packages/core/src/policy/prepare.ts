import { canonical, sha256Text } from "@behest/jws";
import { BehestError } from "../error.ts";
import { asking } from "./answer.ts";
import type { Cedar } from "./cedar.ts";
import { type PolicyDecision, type Prepared, decideBy } from "./decision.ts";
import { type PolicyFault, cedarFault, faultAt } from "./fault.ts";
import type { SourceFile, Sources } from "./folder.ts";
import { readsOf } from "./reads.ts";
import type { PolicyRequest } from "./request.ts";
import { type PolicyRule, type ReadRule, ruleOf } from "./rule.ts";
import { type PolicySchema, schemaOf } from "./schema.ts";
import { type Statement, statements } from "./statement.ts";

/** A set of policies at work. */
export interface Policies {
  /** SHA-256, base64url, over the policies with their ids and the schema. */
  readonly digest: string;
  /** The text that the digest is of, from which the policies can be evaluated again. */
  readonly document: string;
  readonly rules: readonly PolicyRule[];
  /** Tools that the schema declares. */
  readonly tools: readonly string[];
  /** `lifted`: an override is in force; a denial that it lifts then has the limits that it does not. */
  decide(request: PolicyRequest, lifted?: boolean): PolicyDecision;
}

export type Checked = { readonly faults: readonly PolicyFault[]; readonly policies?: Policies };

/** All that is wrong with these sources; policies where nothing is. */
export function prepare(cedar: Cedar, sources: Sources): Checked {
  const schema = schemaOf(cedar, sources);
  const { rules, faults } = rulesOf(cedar, sources);
  if ("reason" in schema) return { faults: [schema, ...faults] };
  if (faults.length > 0) return { faults };
  const wrong = validated(cedar, schema, rules);
  if (wrong.length > 0) return { faults: wrong };
  return {
    faults,
    policies: prepared(
      cedar,
      schema,
      rules.map(({ rule }) => rule),
    ),
  };
}

interface Read {
  readonly rule: ReadRule;
  readonly statement: Statement;
  readonly source: string;
}

function rulesOf(cedar: Cedar, { files }: Sources): { rules: Read[]; faults: PolicyFault[] } {
  const rules: Read[] = [];
  const faults: PolicyFault[] = [];
  const ids = new Set<string>();
  for (const { file, text: source } of files) {
    for (const [i, statement] of statements(file, source).entries()) {
      const rule = ruleOf(cedar, statement, source, i + 1);
      if (!("id" in rule)) faults.push(rule);
      else if (ids.has(rule.id))
        faults.push(faultAt(file, source, statement.from, `"${rule.id}" is there twice`));
      else {
        ids.add(rule.id);
        rules.push({ rule, statement, source });
      }
    }
  }
  if (rules.length + faults.length === 0) faults.push(nothing(files[0]!));
  const tooMany = rules[MOST];
  if (tooMany) faults.push(faultAt(tooMany.rule.file, tooMany.source, tooMany.statement.from, TOO_MANY));
  return { rules, faults };
}

/** Policies of one set: an entry names all that decided, and has a size. */
const MOST = 1000;
const TOO_MANY = `there are more than ${MOST} policies`;

function nothing({ file, text }: SourceFile): PolicyFault {
  return faultAt(file, text, 0, "there is no policy in it, hence nothing would be permitted");
}

/** A warning is as good as an error: a policy that can never apply is not what its author meant. */
function validated(cedar: Cedar, schema: PolicySchema, rules: readonly Read[]): PolicyFault[] {
  const staticPolicies = Object.fromEntries(rules.map(({ rule }) => [rule.id, rule.text]));
  const answer = cedar.validate({
    validationSettings: { mode: "strict" },
    schema: schema.json,
    policies: { staticPolicies },
  });
  if (answer.type === "failure")
    throw new BehestError("policy_invalid", "policy_invalid: Cedar cannot validate these policies.");
  const { validationErrors, validationWarnings } = answer;
  const failing = new Set(validationErrors.map(({ policyId }) => policyId));
  const found = [...validationErrors, ...validationWarnings.filter(({ policyId }) => !failing.has(policyId))];
  return rules.flatMap(({ rule, statement, source }) =>
    found
      .filter(({ policyId }) => policyId === rule.id)
      .map(({ error }) => cedarFault(statement, source, error)),
  );
}

function heldOf(rules: readonly ReadRule[]): { [id: string]: string } {
  return Object.fromEntries(rules.map(({ id, held }) => [id, held]));
}

function prepared(cedar: Cedar, schema: PolicySchema, read: readonly ReadRule[]): Policies {
  const set = read.map(({ id, text }) => [id, text]);
  const document = canonical({ v: 1, policies: set, schema: schema.text });
  const digest = sha256Text(document);
  const names = { all: digest, unasked: `${digest} unasked`, permits: `${digest} permits` };
  const unasked = read.filter(({ ask }) => !ask);
  const permits = read.filter(({ effect }) => effect === "permit");
  const answers = [
    cedar.preparsePolicySet(names.all, { staticPolicies: heldOf(read) }),
    cedar.preparsePolicySet(names.unasked, { staticPolicies: heldOf(unasked) }),
    cedar.preparsePolicySet(names.permits, { staticPolicies: heldOf(permits) }),
  ];
  if (answers.some(({ type }) => type === "failure"))
    throw new BehestError("policy_invalid", "policy_invalid: Cedar cannot hold these policies ready.");
  const rules = read.map(({ text: _text, held: _held, json: _json, ...rule }) => rule);
  const held: Prepared = {
    schema,
    reads: readsOf(read.map(({ json }) => json)),
    rules: new Map(rules.map((rule) => [rule.id, rule])),
    all: asking(cedar, names.all),
    unasked: asking(cedar, names.unasked),
    permits: asking(cedar, names.permits),
  };
  const policies: Policies = {
    digest,
    document,
    rules,
    tools: [...schema.tools.keys()],
    decide: (request, lifted = false) => decideBy(held, request, lifted),
  };
  // The first decision of a thread takes some 40 ms.
  policies.decide(WARMING);
  return policies;
}

const WARMING: PolicyRequest = {
  tool: "",
  args: {},
  effect: "read",
  boundary: "inside",
  declared: true,
  allowlisted: true,
  agent: { id: "", ancestors: [], name: "", consent: "local", mismatch: false },
  person: { issuer: "", subject: "" },
  now: 0,
};
