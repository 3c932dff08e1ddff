import { conflict } from "./failure.ts";
import { ruleDelegation } from "./rules.ts";
import type { DelegationRow, StoredDelegation } from "./types.ts";

/** Delegations of a store in memory. */
export class Delegations {
  readonly #leaves = new Map<string, StoredDelegation>();
  readonly #jtis = new Map<string, StoredDelegation>();

  add(row: StoredDelegation): void {
    this.#leaves.set(row.leaf, row);
    // Of one jti a spawned one first: only its jti is nobody else's.
    if (row.request !== undefined || !this.#jtis.has(row.jti)) this.#jtis.set(row.jti, row);
  }

  /** Index of the same, stored before. Throws `action_conflict` where its jti is another's. */
  before(row: DelegationRow): number | undefined {
    const named = this.#jtis.get(row.jti);
    const spawned = row.request !== undefined && named?.request !== undefined ? named : undefined;
    const stored = this.#leaves.get(row.leaf) ?? spawned;
    const ruling = ruleDelegation(stored, row);
    if (ruling === "action_conflict") throw conflict();
    return ruling === "again" ? stored!.index : undefined;
  }

  erase(principal: string): void {
    for (const rows of [this.#leaves, this.#jtis])
      for (const [name, row] of rows)
        if (row.principal === principal) rows.set(name, { ...row, sealed: new Uint8Array() });
  }

  drop(leaf: string): void {
    this.#leaves.delete(leaf);
    for (const [jti, row] of this.#jtis) if (row.leaf === leaf) this.#jtis.delete(jti);
  }

  named(jti: string): StoredDelegation | undefined {
    return this.#jtis.get(jti);
  }

  of(leaf: string): StoredDelegation | undefined {
    return this.#leaves.get(leaf);
  }

  all(): readonly StoredDelegation[] {
    return [...this.#leaves.values()];
  }
}
