import type { Code } from "../error.ts";
import { type KnownPrincipal, principalOf } from "./principal.ts";
import type { Engine, RecordFilter, StoredRecord } from "../store/types.ts";
import type { ActionRecord, RecordsFilter } from "../types.ts";
import { termOf } from "./terms.ts";

const ERASED = "(erased)";

/** Which records; `session`: those spawned below it are meant too. */
export interface ListFilter extends Omit<RecordsFilter, "session"> {
  readonly session?: { readonly id: string };
  /** Id of an action. */
  readonly action?: string;
}

/** Actions in log order, with the names that entries do not carry; `(erased)` where they are gone. */
export async function listRecords(engine: Engine, filter: ListFilter = {}): Promise<ActionRecord[]> {
  const { session, principal, agent, argument, ...rest } = filter;
  const query: RecordFilter = { ...rest, ...(session && { session: session.id }) };
  const people = new Map<string, KnownPrincipal | undefined>();
  const agents = new Map<string, string>();
  const found: ActionRecord[] = [];
  for (const row of await rowsOf(engine, query, principal)) {
    if (!people.has(row.principal)) people.set(row.principal, await principalOf(engine, row.principal));
    const who = people.get(row.principal);
    if (argument && !(await has(engine, row, who, argument))) continue;
    if (!agents.has(row.session)) agents.set(row.session, agentOf(row, who));
    const name = agents.get(row.session)!;
    if (agent !== undefined && name !== agent) continue;
    found.push({
      principal: who?.subject ?? ERASED,
      agent: name,
      tool: row.tool,
      verdict: row.verdict,
      code: row.code as Code,
      ...(row.outcome !== undefined && { outcome: row.outcome }),
      at: row.at,
      action: row.action,
      ...(row.delegation === undefined && { observed: true }),
      session: row.session,
      index: row.index,
    });
  }
  return found;
}

/** Of one subject: whoever asserts it. */
async function rowsOf(
  engine: Engine,
  query: RecordFilter,
  subject: string | undefined,
): Promise<readonly StoredRecord[]> {
  if (subject === undefined) return engine.records(query);
  const named = await engine.named(subject);
  const found = await Promise.all(
    named.map(({ pseudonym }) => engine.records({ ...query, principal: pseudonym })),
  );
  return found.flat().toSorted((a, b) => a.index - b.index);
}

/** Whether the blind index has this argument of it; what was erased has none. */
async function has(
  engine: Engine,
  { index, tool }: StoredRecord,
  who: KnownPrincipal | undefined,
  { name, value }: NonNullable<RecordsFilter["argument"]>,
): Promise<boolean> {
  const term = who && termOf(who.vault, tool, name, value);
  return term !== undefined && (await engine.content(index)).some(({ id }) => id === term);
}

/** Sealed; a name that somebody has altered does not open. */
function agentOf({ session, agent }: StoredRecord, who: KnownPrincipal | undefined): string {
  try {
    return who?.vault.open(session, "agent", agent) ?? ERASED;
  } catch {
    return "(altered)";
  }
}
