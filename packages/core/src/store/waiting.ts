import type { ApprovalRow, Placed, StoredApproval } from "./types.ts";

/** What waits for persons and what they have signed, of a store in memory. */
export class Waiting {
  readonly #rows = new Map<string, StoredApproval>();

  get(id: string): StoredApproval | undefined {
    return this.#rows.get(id);
  }

  ask(row: ApprovalRow, { index, hash }: Placed): void {
    this.#rows.set(row.id, { ...row, asked: { index, hash }, spent: false, decisions: [] });
  }

  decide(id: string, { index, hash }: Placed): void {
    const row = this.#rows.get(id);
    if (row) this.#rows.set(id, { ...row, decisions: [...row.decisions, { index, hash }] });
  }

  spend(action: string): void {
    const row = this.#rows.get(action);
    if (row) this.#rows.set(action, { ...row, spent: true });
  }

  /** Indexes of the entries that asked for, or decided on, what is this principal's. */
  places(principal: string): readonly number[] {
    const rows = [...this.#rows.values()].filter((row) => row.principal === principal);
    return rows.flatMap(({ asked, decisions }) => [asked, ...decisions].map(({ index }) => index));
  }

  erase(principal: string): void {
    for (const [id, row] of this.#rows)
      if (row.principal === principal) this.#rows.set(id, { ...row, sealed: new Uint8Array() });
  }

  of(run: string): readonly StoredApproval[] {
    return [...this.#rows.values()].filter((row) => row.run === run);
  }

  pending(now: number): readonly StoredApproval[] {
    return this.#living(now).filter(({ kind, spent }) => kind === "ask" && !spent);
  }

  ahead(since: number, principal: string | undefined): readonly StoredApproval[] {
    return this.#living(since).filter(
      (row) => row.kind !== "ask" && (principal ?? row.principal) === row.principal,
    );
  }

  #living(after: number): readonly StoredApproval[] {
    return [...this.#rows.values()].filter(({ expires }) => expires > after);
  }
}
