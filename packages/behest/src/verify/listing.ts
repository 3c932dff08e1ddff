import type { ActionRecord, Reader } from "@behest/core";
import type { ActionEntry, OutcomeWord } from "@behest/provenance";
import type { ReadEntry } from "./evidence.ts";
import type { Finding } from "./findings.ts";

/** What is listed in place of the name of somebody who was erased. */
const ERASED = "(erased)";

/**
 * Whether what `records` lists is what the entries say, no more and no less. The listing is not signed: whoever can write
 * to the store can edit it, and would be believed by everybody who does not look at the log.
 */
export class Listing {
  readonly findings: Finding[] = [];
  readonly #reader: Pick<Reader, "records" | "subject">;
  #rows: Map<number, ActionRecord> | undefined;
  /** Index of an action's entry, by its hash. */
  readonly #actions = new Map<string, number>();
  readonly #outcomes = new Map<number, OutcomeWord>();
  /** Pseudonym of a delegation's principal, by the hash of its entry; subject by pseudonym. */
  readonly #principals = new Map<string, string>();
  readonly #subjects = new Map<string, string>();

  constructor(reader: Pick<Reader, "records" | "subject">) {
    this.#reader = reader;
  }

  async read(index: number, { hash, payload }: ReadEntry): Promise<void> {
    if (payload.type === "delegation") this.#principals.set(hash, payload.principal);
    else if (payload.type === "action") {
      this.#actions.set(hash, index);
      const row = (await this.#listed()).get(index);
      if (!row || !agrees(row, payload) || !(await this.#isWhose(row, payload)))
        this.#fail(index, row ? "the listing says otherwise" : "it is not listed");
    } else if (payload.type === "outcome" && payload.links.outcome === undefined) {
      // One that reconciles an unknown outcome leaves that as it is.
      const of = this.#actions.get(payload.links.action);
      if (of !== undefined) this.#outcomes.set(of, payload.outcome);
    }
  }

  /** At the end of a log of `size` entries. `moved`: the store has gone on since, so that outcomes may be of later entries. */
  async finish(size: number, moved: boolean): Promise<void> {
    const actions = new Set(this.#actions.values());
    for (const [index, { outcome }] of await this.#listed()) {
      const told = this.#outcomes.get(index);
      if (index < size && !actions.has(index)) this.#fail(index, "it is listed, and there is no such action");
      else if (actions.has(index) && outcome !== told && !(moved && told === undefined))
        this.#fail(index, "the listing gives it another outcome");
    }
  }

  /** Once, before the first action is looked at: later rows belong to entries that are not looked at. */
  async #listed(): Promise<Map<number, ActionRecord>> {
    this.#rows ??= new Map((await this.#reader.records()).map((row) => [row.index, row]));
    return this.#rows;
  }

  /** Of what was only observed the log does not say. */
  async #isWhose({ principal }: ActionRecord, { links }: ActionEntry): Promise<boolean> {
    const pseudonym = this.#principals.get(links.delegation ?? "");
    if (pseudonym === undefined) return true;
    const known = this.#subjects.get(pseudonym) ?? (await this.#reader.subject(pseudonym))?.subject ?? ERASED;
    this.#subjects.set(pseudonym, known);
    return principal === known;
  }

  #fail(index: number, message: string): void {
    this.findings.push({ index, check: "listing", state: "failed", code: "listing_mismatch", message });
  }
}

function agrees(
  row: ActionRecord,
  { action, at, session, tool, verdict, findings, observed }: ActionEntry,
): boolean {
  const code = findings.at(-1)?.code ?? "ok";
  return (
    row.action === action &&
    row.at === Date.parse(at) &&
    row.session === session &&
    row.tool === tool &&
    row.verdict === verdict &&
    row.code === code &&
    row.observed === observed
  );
}
