import type { ApprovalRow, Placed, StoredApproval } from "./types.ts";

/** Approvals of a store in memory. */
export class Waiting {
  readonly #rows = new Map<string, StoredApproval>();

  get(action: string): StoredApproval | undefined {
    return this.#rows.get(action);
  }

  ask(row: ApprovalRow, { index, hash }: Placed): void {
    this.#rows.set(row.action, { ...row, asked: { index, hash }, spent: false, decisions: [] });
  }

  decide(action: string, { index, hash }: Placed): void {
    const row = this.#rows.get(action);
    if (row) this.#rows.set(action, { ...row, decisions: [...row.decisions, { index, hash }] });
  }

  spend(action: string): void {
    const row = this.#rows.get(action);
    if (row) this.#rows.set(action, { ...row, spent: true });
  }

  pending(now: number): readonly StoredApproval[] {
    return [...this.#rows.values()].filter(({ spent, expires }) => !spent && expires > now);
  }
}
