import { type IndexRange, rolesAt } from "../manifest.ts";

/** Where a role's keys were relied on, so that a later manifest can say "not trusted after index N" of what is past. */
export class Reliance {
  readonly #uses = new Map<string, number[]>();

  /** The key with this `x` was relied on at entry `index`. */
  note(x: string, index: number): void {
    const uses = this.#uses.get(x);
    if (uses) uses.push(index);
    else this.#uses.set(x, [index]);
  }

  /** Entries that relied on a key which `roles` still names, but no longer for them; each is told once. */
  withdraw(roles: readonly (IndexRange & { readonly jwk?: { readonly x: string } })[]): number[] {
    const withdrawn: number[] = [];
    for (const [x, uses] of this.#uses) {
      const ranges = roles.filter(({ jwk }) => jwk?.x === x);
      if (ranges.length === 0) continue;
      const held = (index: number): boolean => rolesAt(ranges, index).length > 0;
      withdrawn.push(...uses.filter((index) => !held(index)));
      this.#uses.set(x, uses.filter(held));
    }
    return withdrawn;
  }
}
