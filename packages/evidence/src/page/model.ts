import type {
  ActionEntry,
  EntryType,
  EntryPayload,
  EvidenceBundle,
  InteractionEntry,
  OutcomeEntry,
} from "@behest/provenance";
import { type ShownEntry, entriesOf, openingOf } from "../parts.ts";
import type {
  EvidenceApproval,
  EvidenceDelegation,
  EvidenceFinding,
  EvidenceRecord,
  EvidenceReport,
  State,
} from "../report.ts";
import { type Html, html } from "./escape.ts";
import { badge, quoted } from "./values.ts";

/** Of findings about what stands beside an entry, not about the entry. */
const BESIDE: ReadonlySet<string> = new Set(["content", "grant", "policy"]);

/** A bundle with its report, by entry. What the report does not prove is never shown as proven. */
export class Model {
  readonly bundle: EvidenceBundle;
  readonly report: EvidenceReport;
  readonly #entries: ReadonlyMap<number, ShownEntry>;
  readonly #findings: ReadonlyMap<number, readonly EvidenceFinding[]>;
  readonly #delegations: ReadonlyMap<number, EvidenceDelegation>;
  readonly #approvals: ReadonlyMap<number, EvidenceApproval>;
  readonly #places: ReadonlyMap<string, number>;
  /** What processes call the agent of a delegation. */
  readonly #called = new Map<number, string>();
  /** Where in the page an entry is told of: an action's section has its turn and its outcome. */
  readonly #sections = new Map<number, number>();

  constructor(bundle: EvidenceBundle, report: EvidenceReport) {
    this.bundle = bundle;
    this.report = report;
    const shown = entriesOf(bundle).filter(({ index }) => index < report.log.size);
    this.#entries = new Map(shown.map((entry) => [entry.index, entry]));
    this.#places = new Map(shown.map(({ hash, index }) => [hash, index]));
    this.#findings = Map.groupBy(report.findings, ({ index }) => index);
    this.#delegations = new Map(report.delegations.map((one) => [one.index, one]));
    this.#approvals = new Map(report.approvals.map((one) => [one.index, one]));
    for (const { delegations, agent } of report.records)
      if (agent !== undefined) this.#called.set(delegations.at(-1)!, agent);
    for (const { index, interaction, outcome } of report.records)
      for (const place of [interaction, outcome])
        if (place !== undefined && !this.#sections.has(place)) this.#sections.set(place, index);
    for (const { index } of [...report.records, ...report.delegations, ...report.approvals])
      this.#sections.set(index, index);
  }

  action({ index }: EvidenceRecord): ActionEntry | undefined {
    return this.#payload(index, "action");
  }

  interaction({ interaction }: EvidenceRecord): InteractionEntry | undefined {
    return this.#payload(interaction, "interaction");
  }

  outcome({ outcome }: EvidenceRecord): OutcomeEntry | undefined {
    return this.#payload(outcome, "outcome");
  }

  /** As its parent named it, else as its process calls it. */
  agent({ index, token }: EvidenceDelegation): string | undefined {
    return token && (token.agent ?? this.#called.get(index));
  }

  agentOf(record: EvidenceRecord): string | undefined {
    const leaf = this.chain(record).at(-1);
    return record.agent ?? (record.principal && leaf && this.agent(leaf));
  }

  /** An entry's number, as a link where the page tells of it. */
  link(index: number): Html {
    const section = this.#sections.get(index);
    return section === undefined ? html`#${index}` : html`<a href="#${section}">#${index}</a>`;
  }

  /** Entries that asked for this approval. */
  asked(approval: EvidenceApproval): number[] {
    const entry = this.#payload(approval.index, "approval");
    const asked = entry?.kind === "decision" ? entry.links.actions : [];
    return asked.flatMap((hash) => this.#places.get(hash) ?? []);
  }

  hash(index: number): string | undefined {
    return this.#entries.get(index)?.hash;
  }

  /** Root first. */
  chain({ delegations }: EvidenceRecord): EvidenceDelegation[] {
    return delegations.flatMap((index) => this.#delegations.get(index) ?? []);
  }

  approvals({ approvals }: EvidenceRecord): EvidenceApproval[] {
    return approvals.flatMap((index) => this.#approvals.get(index) ?? []);
  }

  findings(index: number | undefined): readonly EvidenceFinding[] {
    return (index === undefined ? undefined : this.#findings.get(index)) ?? [];
  }

  /** Of an entry itself: that it stands in the log and says what it may. */
  state(index: number | undefined): State {
    if (index === undefined || !this.#entries.has(index)) return "not_shown";
    if (this.report.log.completeness === "not consistent") return "failed";
    const wrong = this.findings(index).some(
      ({ state, check }) => (state === "failed" || state === "missing") && !BESIDE.has(check),
    );
    return wrong ? "failed" : "proven";
  }

  /** Why it was not permitted: the code of the check that decided. */
  reason(record: EvidenceRecord): string | undefined {
    return record.verdict === "permit" ? undefined : this.action(record)?.findings.at(-1)?.code;
  }

  /** Payloads of the entries of a type that are shown and proven. */
  proven<T extends EntryType>(type: T): Extract<EntryPayload, { type: T }>[] {
    return [...this.#entries.keys()].flatMap((index) => {
      const payload = this.#payload(index, type);
      return payload && this.state(index) === "proven" ? [payload] : [];
    });
  }

  /** What an entry commits to, where it is shown and opens; else that it is not. */
  content(label: string, index: number | undefined, commitment: string | undefined): Html | undefined {
    if (commitment === undefined || index === undefined) return undefined;
    const opened = openingOf(this.bundle, commitment);
    if (typeof opened !== "string") return quoted(label, opened.text, this.state(index));
    if (opened === "altered")
      return html`<p>
        ${label} ${badge("altered")} What the bundle has in its place is not what the entry commits to, and is
        left out.
      </p>`;
    const erased = this.findings(index).some(({ state }) => state === "erased");
    return html`<p>${label} ${badge(erased ? "erased" : "not_shown")}</p>`;
  }

  #payload<T extends EntryType>(
    index: number | undefined,
    type: T,
  ): Extract<EntryPayload, { type: T }> | undefined {
    const payload = index === undefined ? undefined : this.#entries.get(index)?.payload;
    return payload?.type === type ? (payload as Extract<EntryPayload, { type: T }>) : undefined;
  }
}
