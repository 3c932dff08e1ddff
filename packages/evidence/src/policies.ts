import { type Cedar, type Policies, type PolicyDecision, policiesIn } from "@behest/core/replay";
import type { Json } from "@behest/jws";
import type { ActionEntry, EvidenceBundle } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
import { factsIn, straysFrom } from "./facts.ts";
import { type Judged, PROVEN } from "./grants.ts";
import { goes, textOf } from "./parts.ts";

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
    if (digest === undefined) return undefined;
    if (!said) return goes(entry) ? unasked(entry) : undefined;
    if (goes(entry) && entry.content.facts === undefined)
      return failed("facts_missing", "it does not commit to what its policies were decided on");
    if (!Object.hasOwn(this.#documents, digest))
      return notShown("policy_not_shown", "its policies are not shown");
    if (!this.#cedar)
      return notShown("policy_not_evaluated", "there is no Cedar here to evaluate its policies");
    const policies = this.#policies(digest, this.#cedar);
    if (!policies) return failed("policy_altered", "what is shown as its policies is not what it names");
    if (args === undefined || facts === undefined)
      return notShown("facts_not_shown", "what its policies were decided on is not shown");
    const known = factsIn(facts);
    if (!known) return failed("facts_mismatch", "what its policies were decided on is not what they are");
    const strayed = straysFrom(known, entry, delegation);
    if (strayed !== undefined)
      return failed("facts_mismatch", `what its policies were decided on has another ${strayed}`);
    const lifted = links.override !== undefined;
    const decided = policies.decide({ ...known, tool, args, effect, boundary }, lifted);
    if (!agrees(decided, said, entry))
      return failed("policy_differs", "its policies, evaluated again, give another answer than its entry");
    return delegation?.verified || entry.observed
      ? { ...PROVEN, decided }
      : { ...notShown("chain_not_proven", "its chain is not proven here"), decided };
  }

  #policies(digest: string, cedar: Cedar): Policies | undefined {
    if (!this.#sets.has(digest)) {
      const text = textOf(this.#documents, digest);
      this.#sets.set(digest, text === undefined ? undefined : policiesIn(text, cedar));
    }
    return this.#sets.get(digest);
  }
}

/** Only a deployment for tests leaves what has no profile to the grants. */
function unasked({ findings }: ActionEntry): Judged {
  return findings.some(({ check, rule }) => check === "profile" && rule === "named")
    ? notShown("policy_not_asked", "its tool had no profile, and policies were not asked")
    : failed("policy_missing", "it does not say what its policies decided");
}

/**
 * An ask is recorded as granted once persons have approved, and as lifted under an override, which lifts neither limits
 * nor what could not be evaluated.
 */
function agrees(decided: PolicyDecision, said: ActionEntry["findings"][number], entry: ActionEntry): boolean {
  const { decision, rules } = decided;
  if ((said.rule ?? "") !== rules.join(", ")) return false;
  if (decision === "permit") return said.code === "ok";
  if (decision === "ask")
    return (
      said.code === "approval_needed" || (said.code === "ok" && (entry.links.approvals ?? []).length > 0)
    );
  if (goes(entry) && (decided.failed || decided.beyond)) return false;
  return said.code !== "ok" && said.code !== "approval_needed";
}

function notShown(code: string, message: string): Judged {
  return { state: "not_shown", code, message };
}

function failed(code: string, message: string): Judged {
  return { state: "failed", code, message };
}
