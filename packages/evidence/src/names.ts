import type { Chains } from "./chains.ts";

/** What processes called the agents of delegations, beside what tokens say: a cut may name either. */
export class Names {
  readonly #called = new Map<string, Set<string>>();

  /** `delegation`: hash of its entry. */
  note(delegation: string | undefined, name: string | undefined): void {
    if (delegation === undefined || name === undefined) return;
    const known = this.#called.get(delegation);
    if (known) known.add(name);
    else this.#called.set(delegation, new Set([name]));
  }

  /** Of a chain, leaf first; `whole`: every agent along it has a name that is shown. */
  along(
    delegation: string | undefined,
    chains: Chains,
  ): { readonly names: string[]; readonly whole: boolean } {
    const names: string[] = [];
    let whole = true;
    for (let hash = delegation; hash !== undefined;) {
      const known = chains.delegation(hash);
      const called = this.#called.get(hash);
      names.push(...(called ?? []));
      whole &&= called !== undefined || known?.verified?.leaf.agent !== undefined;
      hash = known?.entry.links.parent;
    }
    return { names, whole };
  }
}
