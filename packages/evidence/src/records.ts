import type { Cedar } from "@behest/core/replay";
import { thumbprint } from "@behest/jws";
import type { ActionEntry, EvidenceBundle, LogReport, OutcomeWord } from "@behest/provenance";
import { judgeApprovals } from "./approvals.ts";
import type { Chains, KnownDelegation } from "./chains.ts";
import { Revoked } from "./cuts.ts";
import { type Judged, argumentsIn, judgeGrant } from "./grants.ts";
import { judgeTerms } from "./mandates.ts";
import { Names, namedAlike } from "./names.ts";
import { type ShownEntry, commitmentsOf, openingOf } from "./parts.ts";
import { Replay } from "./policies.ts";
import {
  type Aspect,
  type EvidenceDelegation,
  type EvidenceFinding,
  type EvidenceRecord,
  type EvidenceReport,
  JUDGED,
  type State,
  worst,
} from "./report.ts";
import { signedBy } from "./signed.ts";
import { LONGEST } from "./source.ts";
import { type Approving, approvalOf, nameIn, tokenOf } from "./told.ts";

interface Parts {
  readonly bundle: EvidenceBundle;
  readonly log: LogReport;
  readonly chains: Chains;
  readonly cedar: Cedar | undefined;
}

/** One action entry, and what was judged of it alone. */
interface Draft {
  readonly entry: ShownEntry & { readonly payload: ActionEntry };
  readonly judged: Map<Aspect, State>;
  readonly delegation: KnownDelegation | undefined;
  /** As its process called the agent. */
  readonly called: string | undefined;
  outcome?: { readonly index: number; readonly word: OutcomeWord };
}

/** Takes entries in log order; judges what the log alone cannot: grants, policies, revocations and content. */
export class Judging {
  readonly findings: EvidenceFinding[] = [];
  /** Entries of which more was shown than the log knows of. */
  readonly told: Set<number> = new Set();
  readonly #parts: Parts;
  readonly #replay: Replay;
  readonly #revoked: Revoked;
  readonly #names = new Names();
  readonly #drafts: Draft[] = [];
  readonly #byHash = new Map<string, Draft>();
  readonly #places = new Map<string, number>();
  readonly #delegations: KnownDelegation[] = [];
  /** By the hash of their entries. */
  readonly #approvals = new Map<string, Approving>();
  #shown = 0;
  readonly #erased: ReadonlySet<string>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#erased = new Set(parts.log.erased);
    this.#replay = new Replay(parts.bundle, parts.cedar);
    this.#revoked = new Revoked(parts.bundle);
  }

  async read(entry: ShownEntry): Promise<void> {
    const { index, hash, payload } = entry;
    this.#places.set(hash, index);
    const content = this.#content(entry);
    if (payload.type === "revocation") {
      this.told.add(index);
      this.#note(index, "revocation", await this.#revoked.add(payload, this.#parts.chains.manifest));
    } else if (payload.type === "outcome") {
      const draft = this.#byHash.get(payload.links.action);
      // One that names another outcome stands in its place.
      if (draft && (!draft.outcome || payload.links.outcome !== undefined))
        draft.outcome = { index, word: payload.outcome };
      if (draft && content)
        draft.judged.set("content", worst([draft.judged.get("content") ?? "proven", content]));
    } else if (payload.type === "delegation") {
      this.#delegations.push(this.#parts.chains.delegation(hash) ?? { index, entry: payload });
    } else if (payload.type === "approval") {
      const signed = await signedBy(payload, index, this.#parts.chains.manifest);
      this.#approvals.set(hash, { index, payload, signed });
    } else if (payload.type === "action") this.#action({ ...entry, payload }, content);
    this.#shown++;
  }

  #action(entry: Draft["entry"], content: State | undefined): void {
    const { index, hash, payload } = entry;
    const { bundle, chains } = this.#parts;
    const delegation = chains.delegation(payload.links.delegation);
    const shown = (commitment: string | undefined): ReturnType<typeof argumentsIn> => {
      const opened = commitment === undefined ? "absent" : openingOf(bundle, commitment);
      return typeof opened === "string" ? undefined : argumentsIn(opened.text);
    };
    const args = shown(payload.content.args);
    const facts = shown(payload.content.facts);
    const draft: Draft = { entry, judged: new Map(), delegation, called: nameIn(facts) };
    this.#names.note(payload.session, draft.called);
    const named = this.#names.along(payload.session, draft.called, delegation);
    const hidden = this.#shown < index;
    const gone = this.#isErased(delegation?.entry.principal);
    const judge = (aspect: Aspect, found: Judged | undefined): void => {
      if (!found) return;
      // What it takes to judge this again went with its principal.
      const judged: Judged = gone && found.state === "not_shown" ? { ...found, state: "erased" } : found;
      draft.judged.set(aspect, judged.state);
      this.#note(index, aspect, judged);
    };
    judge("grant", judgeGrant(payload, delegation, args));
    const policy = this.#replay.judge(payload, { args, facts, delegation });
    judge("policy", policy);
    const linked = (payload.links.approvals ?? []).flatMap(
      (approval) => this.#approvals.get(approval)?.payload ?? [],
    );
    const enough = judgeApprovals(payload, linked, { delegation, decided: policy?.decided });
    const terms = judgeTerms(payload, linked, { bundle, args, facts });
    judge("approval", terms && enough?.state !== "failed" ? terms : enough);
    if (payload.verdict === "permit" && !payload.observed)
      judge("revocation", this.#revoked.judge(delegation, { hidden, ...named }));
    if (content) draft.judged.set("content", content);
    this.#drafts.push(draft);
    this.#byHash.set(hash, draft);
  }

  /** Of what an entry commits to: altered, proven, or not shown; undefined where it commits to nothing. */
  #content({ index, payload }: ShownEntry): State | undefined {
    // Tokens are judged as chains.
    if (payload.type === "delegation" || payload.type === "approval") return undefined;
    // Why somebody was erased is kept by whoever asked for it.
    if (payload.type === "erasure") return undefined;
    const gone = this.#isErased(this.#principalOf(payload));
    const absent: string[] = [];
    const states = commitmentsOf(payload).map(([field, commitment]): State => {
      const opened = openingOf(this.#parts.bundle, commitment);
      if (opened === "altered") {
        const message = `what is shown as its ${field} is not what it commits to`;
        this.#note(index, "content", { state: "failed", code: "content_altered", message });
        return "failed";
      }
      if (opened !== "absent") return "proven";
      absent.push(field);
      return gone ? "erased" : "not_shown";
    });
    if (absent.length > 0) {
      const message = `${absent.join(", ")}: ${gone ? "erased with its principal" : "not kept, or not part of this bundle"}`;
      const found = gone
        ? ({ state: "erased", code: "content_erased" } as const)
        : ({ state: "not_shown", code: "content_not_shown" } as const);
      this.#note(index, "content", { ...found, message });
    }
    return states.length > 0 ? worst(states) : undefined;
  }

  /** Whose an entry is, as the delegation that it links to says; undefined where it links to none. */
  #principalOf(payload: ShownEntry["payload"]): string | undefined {
    const { chains } = this.#parts;
    if (payload.type === "action" || payload.type === "interaction")
      return chains.delegation(payload.links.delegation)?.entry.principal;
    return payload.type === "outcome"
      ? this.#byHash.get(payload.links.action)?.delegation?.entry.principal
      : undefined;
  }

  #isErased(principal: string | undefined): boolean {
    return principal !== undefined && this.#erased.has(principal);
  }

  /** With what was found elsewhere of their entries. */
  close(findings: readonly EvidenceFinding[]): Pick<EvidenceReport, "records" | "delegations" | "approvals"> {
    const failed = Map.groupBy(
      findings.filter(({ state }) => state === "failed" || state === "missing"),
      ({ index }) => index,
    );
    const consistent = this.#parts.log.completeness !== "not consistent";
    return {
      records: namedAlike(
        this.#drafts.map((draft) => this.#record(draft, failed, consistent)),
        this.#drafts.map(({ entry }) => entry.payload.session),
      ),
      delegations: this.#delegations.map((known) => this.#hop(known, failed.has(known.index))),
      approvals: [...this.#approvals.values()].map((one) =>
        approvalOf(one, failed.has(one.index) || !consistent),
      ),
    };
  }

  #hop({ index, entry, verified }: KnownDelegation, failed: boolean): EvidenceDelegation {
    const parent = this.#parts.chains.delegation(entry.links.parent)?.index;
    const token = verified && !failed ? tokenOf(verified) : undefined;
    return {
      index,
      ...(parent !== undefined && { parent }),
      state: failed ? "failed" : token ? "proven" : this.#isErased(entry.principal) ? "erased" : "not_shown",
      pseudonym: entry.principal,
      holder: thumbprint({ kty: "OKP", crv: "Ed25519", x: entry.holder }),
      ...(token && { token }),
    };
  }

  #record(
    { entry, judged, delegation, called, outcome }: Draft,
    failed: ReadonlyMap<number, readonly EvidenceFinding[]>,
    consistent: boolean,
  ): EvidenceRecord {
    const { index, payload } = entry;
    const { links, verdict, at, tool, enforce, observed } = payload;
    const placesOf = (hashes: readonly string[]): number[] =>
      hashes.flatMap((hash) => this.#places.get(hash) ?? []);
    const approvals = placesOf([...(links.approvals ?? []), ...(links.override ? [links.override] : [])]);
    const delegations = this.#chain(delegation);
    const interaction = links.interaction === undefined ? undefined : this.#places.get(links.interaction);
    const hasFailed = (places: readonly number[], check?: string): boolean =>
      places.some((place) => failed.get(place)?.some((one) => check === undefined || one.check === check));
    const state = (good: boolean): State => (good ? "proven" : "failed");
    // A gap before it says nothing against what stands here.
    const stands =
      consistent &&
      (failed.get(index) ?? []).every(({ check, code }) => JUDGED.has(check) || code === "sequence_gap");
    const states: { [aspect in Aspect]?: State } = {
      entry: state(stands),
      ...Object.fromEntries(judged),
    };
    if (!observed) {
      const unproven = this.#isErased(delegation?.entry.principal) ? "erased" : "not_shown";
      const refused = hasFailed(delegations) || hasFailed([index], "delegation");
      states.authority = refused ? "failed" : delegation?.verified ? "proven" : unproven;
      states.decision = state(!hasFailed([index], "decision"));
    }
    // What was judged here counts among the findings, too.
    if (approvals.length > 0 || hasFailed([index], "approval"))
      states.approval = worst([
        state(!hasFailed([index], "approval") && !hasFailed(approvals)),
        judged.get("approval") ?? "proven",
      ]);
    if (verdict === "permit")
      states.outcome =
        hasFailed([index], "attempt") || (outcome && hasFailed([outcome.index]))
          ? "failed"
          : outcome
            ? "proven"
            : "not_shown";
    if (hasFailed([index], "revocation")) states.revocation = "failed";
    if (hasFailed([index], "policy")) states.policy = "failed";
    // What does not stand may be anybody's: that it fits what it names proves nothing.
    for (const aspect of stands ? [] : (Object.keys(states) as Aspect[]))
      if (states[aspect] === "proven") states[aspect] = "not_shown";
    const proven = states.entry === "proven" && states.authority === "proven";
    const token = proven && delegation?.verified ? tokenOf(delegation.verified) : undefined;
    const agent = token && (token.agent ?? called);
    return {
      index,
      action: payload.action,
      at,
      tool,
      verdict,
      code: payload.findings.at(-1)?.code ?? "ok",
      ...(enforce && { enforce }),
      ...(observed && { observed }),
      ...(links.override !== undefined && { override: true as const }),
      ...(token && { principal: token.principal }),
      ...(agent !== undefined && { agent }),
      states,
      delegations,
      ...(interaction !== undefined && { interaction }),
      approvals,
      ...(outcome && { outcome: outcome.index, result: outcome.word }),
    };
  }

  #chain(delegation: KnownDelegation | undefined): number[] {
    const found: number[] = [];
    let at = delegation;
    for (; at && found.length < LONGEST; at = this.#parts.chains.delegation(at.entry.links.parent))
      found.unshift(at.index);
    return found;
  }

  #note(index: number, check: string, { state, code, message }: Judged): void {
    if (state !== "proven")
      this.findings.push({ index, check, state, code: code ?? state, message: message ?? "" });
  }
}
