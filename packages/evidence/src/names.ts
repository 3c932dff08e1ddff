import type { KnownDelegation } from "./chains.ts";
import type { EvidenceRecord } from "./report.ts";

/**
 * What processes called the agents of sessions, beside what tokens say: a cut may name either. A session that was
 * spawned has the id of the one above it before its own, a dot between.
 */
export class Names {
  readonly #called = new Map<string, Set<string>>();

  note(session: string, name: string | undefined): void {
    if (name === undefined) return;
    const known = this.#called.get(session);
    if (known) known.add(name);
    else this.#called.set(session, new Set([name]));
  }

  /** Of one that is called `own` and those above it; `whole`: every agent along its chain has a name that is shown. */
  along(
    session: string,
    own: string | undefined,
    delegation: KnownDelegation | undefined,
  ): { readonly names: readonly string[]; readonly whole: boolean } {
    const { verified } = delegation ?? {};
    if (!verified) return { names: [], whole: false };
    const parts = session.split(".").slice(0, verified.claims.length);
    const above = parts.slice(1).map((_, i) => this.#nameOf(parts.slice(0, i + 1).join(".")));
    const known = above.filter((name) => name !== undefined);
    const { claims, leaf } = verified;
    const isNamed = known.length === above.length || claims.every(({ agent }) => agent !== undefined);
    return {
      names: own === undefined ? known : [...known, own],
      whole: isNamed && (own ?? leaf.agent) !== undefined,
    };
  }

  /** Undefined where it is not shown, or was called several things. */
  #nameOf(session: string): string | undefined {
    const names = [...(this.#called.get(session) ?? [])];
    return names.length === 1 ? names[0] : undefined;
  }
}

/**
 * Not every record says how its process called the agent: where all others of its session that stand say one name,
 * it is that. `sessions`: of each record.
 */
export function namedAlike(
  records: readonly EvidenceRecord[],
  sessions: readonly string[],
): EvidenceRecord[] {
  const names = new Map<string, string | undefined>();
  for (const [i, { agent }] of records.entries()) {
    const session = sessions[i]!;
    if (agent === undefined) continue;
    names.set(session, names.has(session) && names.get(session) !== agent ? undefined : agent);
  }
  return records.map((record, i) => {
    const agent = record.principal && (record.agent ?? names.get(sessions[i]!));
    return agent === undefined ? record : { ...record, agent };
  });
}
