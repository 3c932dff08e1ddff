import type { ActionRecord, Reader } from "@behest/core";
import type { ActionEntry } from "@behest/provenance";
import type { ReadEntry } from "./evidence.ts";
import type { Finding } from "./report.ts";

/**
 * Whether what `records` lists is what the entries say. The listing is not signed: whoever can write to the
 * store can edit it, and would be believed by everybody who does not look at the log.
 */
export class Listing {
  readonly findings: Finding[] = [];
  readonly #reader: Pick<Reader, "records">;
  #rows: Map<number, ActionRecord> | undefined;
  /** Index of an action's entry, by its hash. */
  readonly #actions = new Map<string, number>();

  constructor(reader: Pick<Reader, "records">) {
    this.#reader = reader;
  }

  async read(index: number, { hash, payload }: ReadEntry): Promise<void> {
    if (payload.type === "action") {
      this.#actions.set(hash, index);
      const row = (await this.#listed()).get(index);
      if (!row || !agrees(row, payload))
        this.#fail(index, row ? "the listing says otherwise" : "it is not listed");
    } else if (payload.type === "outcome" && payload.links.outcome === undefined) {
      // One that reconciles an unknown outcome leaves that as it is.
      const of = this.#actions.get(payload.links.action);
      if (of !== undefined && (await this.#listed()).get(of)?.outcome !== payload.outcome)
        this.#fail(of, "the listing gives it another outcome");
    }
  }

  /** Once, before the first action is looked at: later rows belong to entries that are not looked at. */
  async #listed(): Promise<Map<number, ActionRecord>> {
    this.#rows ??= new Map((await this.#reader.records()).map((row) => [row.index, row]));
    return this.#rows;
  }

  #fail(index: number, message: string): void {
    this.findings.push({ index, check: "listing", state: "failed", code: "listing_mismatch", message });
  }
}

function agrees(
  row: ActionRecord,
  { action, session, tool, verdict, findings, observed }: ActionEntry,
): boolean {
  const code = findings.at(-1)?.code ?? "ok";
  return (
    row.action === action &&
    row.session === session &&
    row.tool === tool &&
    row.verdict === verdict &&
    row.code === code &&
    row.observed === observed
  );
}
