import { type PublicJwk, thumbprint } from "@behest/jws";
import { type IndexRange, rolesAt } from "../manifest.ts";

/** Where a role's keys were relied on, so that a later manifest can say "not trusted after index N" of what is past. */
export class Reliance {
  readonly #uses = new Map<string, number[]>();

  /** The key with this thumbprint was relied on at entry `index`. */
  note(key: string, index: number): void {
    const uses = this.#uses.get(key);
    if (uses) uses.push(index);
    else this.#uses.set(key, [index]);
  }

  /** Entries that relied on a key which `roles` still names, but no longer for them; each is told once. */
  withdraw(roles: readonly (IndexRange & { readonly jwk?: PublicJwk })[]): number[] {
    const withdrawn: number[] = [];
    for (const [key, uses] of this.#uses) {
      const ranges = roles.filter(({ jwk }) => jwk && thumbprint(jwk) === key);
      if (ranges.length === 0) continue;
      const held = (index: number): boolean => rolesAt(ranges, index).length > 0;
      for (const index of uses) if (!held(index)) withdrawn.push(index);
      this.#uses.set(key, uses.filter(held));
    }
    return withdrawn;
  }
}
