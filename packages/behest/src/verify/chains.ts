import type { Reader } from "@behest/core";
import { Chains as Judging } from "@behest/evidence";
import type { ReadEntry } from "./evidence.ts";

/** The chains that a store has: of what was erased they are gone, and only of that. */
export class Chains extends Judging {
  readonly #reader: Pick<Reader, "chain" | "subject">;
  /** Where the erasure of each principal stands that is named by one. */
  readonly #erasures = new Map<string, number>();

  constructor(reader: Pick<Reader, "chain" | "subject">, owner: string) {
    super(reader, owner);
    this.#reader = reader;
  }

  override async read(index: number, entry: ReadEntry): Promise<void> {
    await super.read(index, entry);
    const { payload } = entry;
    if (payload.type === "erasure" && payload.kind === "principal")
      for (const principal of payload.principals) this.#erasures.set(principal, index);
  }

  /**
   * At the end of the log. A chain lies in the store until its principal is erased: one that is gone without is
   * missing, and a principal whom a proven entry (`erased`) names is erased in fact.
   */
  async finish(erased: readonly string[]): Promise<void> {
    const gone = new Set(erased);
    for (const [index, principal] of this.gone)
      if (!gone.has(principal)) {
        const message = "its chain is gone from the store, and no entry says that it was erased";
        this.findings.push({
          index,
          check: "delegation",
          state: "missing",
          code: "content_missing",
          message,
        });
      }
    for (const principal of erased)
      if (await this.#reader.subject(principal)) {
        const index = this.#erasures.get(principal) ?? 0;
        const message = "whom it names, and the key, are still in the store: an older copy was put back?";
        this.findings.push({ index, check: "erasure", state: "failed", code: "not_erased", message });
      }
  }
}
