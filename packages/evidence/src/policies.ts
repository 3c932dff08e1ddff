import { type Cedar, type Facts, type Policies, type PolicyDecision, policiesIn } from "@behest/core/replay";
import type { Json } from "@behest/jws";
import type { ActionEntry, EvidenceBundle } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
import { type Judged, PROVEN } from "./grants.ts";
import { textOf } from "./parts.ts";

/** What stood there when policies were evaluated. */
export interface Evaluated {
  readonly args: Json | undefined;
  /** Undefined: it is not shown. */
  readonly facts: Json | undefined;
  readonly delegation: KnownDelegation | undefined;
}

/** Evaluates recorded policies again, from their text. */
export class Replay {
  readonly #documents: EvidenceBundle["documents"];
  readonly #cedar: Cedar | undefined;
  readonly #sets = new Map<string, Policies | undefined>();

  constructor({ documents }: EvidenceBundle, cedar: Cedar | undefined) {
    this.#documents = documents;
    this.#cedar = cedar;
  }

  /** Undefined where policies were not evaluated: there were none, or what came before them had decided. */
  judge(
    entry: ActionEntry,
    { args, facts, delegation }: Evaluated,
  ): (Judged & { readonly decided?: PolicyDecision }) | undefined {
    const { policy: digest, findings, links, tool, effect, boundary } = entry;
    const said = findings.find(({ check }) => check === "policy");
    if (digest === undefined || !said) return undefined;
    if (!Object.hasOwn(this.#documents, digest))
      return notShown("policy_not_shown", "its policies are not shown");
    if (!this.#cedar)
      return notShown("policy_not_evaluated", "there is no Cedar here to evaluate its policies");
    const policies = this.#policies(digest, this.#cedar);
    if (!policies) return failed("policy_altered", "what is shown as its policies is not what it names");
    if (args === undefined || facts === undefined)
      return notShown("facts_not_shown", "what its policies were decided on is not shown");
    const known = facts as unknown as Facts;
    const strayed = straysFrom(known, entry, delegation);
    if (strayed !== undefined)
      return failed("facts_mismatch", `what its policies were decided on has another ${strayed}`);
    const lifted = links.override !== undefined;
    const decided = policies.decide({ ...known, tool, args, effect, boundary }, lifted);
    return agrees(decided, said, entry)
      ? { ...PROVEN, decided }
      : failed("policy_differs", "its policies, evaluated again, give another answer than its entry");
  }

  #policies(digest: string, cedar: Cedar): Policies | undefined {
    if (!this.#sets.has(digest)) {
      const text = textOf(this.#documents, digest);
      this.#sets.set(digest, text === undefined ? undefined : policiesIn(text, cedar));
    }
    return this.#sets.get(digest);
  }
}

/** What of them contradicts the entry or its chain. */
function straysFrom(
  { agent, person, now, task, within }: Facts,
  { at }: ActionEntry,
  delegation: KnownDelegation | undefined,
): string | undefined {
  if (now !== Date.parse(at)) return "time";
  const verified = delegation?.verified;
  if (!verified) return undefined;
  const { leaf, claims, issuer, principal, restrictions } = verified;
  const same = {
    person: person.issuer === issuer && person.subject === principal,
    agent: agent.id === leaf.jti && agent.tenant === verified.tenant,
    chain: `${agent.ancestors}` === `${claims.slice(0, -1).map(({ jti }) => jti)}`,
    task: task === leaf.task,
    workspace: within === restrictions?.workspace,
  };
  return Object.entries(same).find(([, equal]) => !equal)?.[0];
}

/** An ask is recorded as granted once persons have approved, and as lifted under an override. */
function agrees(
  { decision, rules }: PolicyDecision,
  said: ActionEntry["findings"][number],
  { links }: ActionEntry,
): boolean {
  if ((said.rule ?? "") !== rules.join(", ")) return false;
  if (decision === "permit") return said.code === "ok";
  if (decision === "ask")
    return said.code === "approval_needed" || (said.code === "ok" && (links.approvals ?? []).length > 0);
  return said.code !== "ok" && said.code !== "approval_needed";
}

function notShown(code: string, message: string): Judged {
  return { state: "not_shown", code, message };
}

function failed(code: string, message: string): Judged {
  return { state: "failed", code, message };
}
