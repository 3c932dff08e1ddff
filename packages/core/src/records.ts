import { type Vault, vaultOf } from "./content.ts";
import type { Code } from "./error.ts";
import { openDelegation } from "./lineage.ts";
import type { Engine, RecordFilter, StoredRecord } from "./store/types.ts";
import type { ActionRecord, RecordsFilter } from "./types.ts";

interface Person {
  readonly subject: string;
  readonly vault: Vault;
}

/** Actions in log order, with the names that entries do not carry; `(erased)` where they are gone. */
export async function listRecords(engine: Engine, filter: RecordsFilter = {}): Promise<ActionRecord[]> {
  const { session, principal, agent, ...rest } = filter;
  const query: RecordFilter = { ...rest, ...(session && { session: session.id }) };
  const people = new Map<string, Person | undefined>();
  const agents = new Map<string, string>();
  const found: ActionRecord[] = [];
  for (const row of await engine.records(query)) {
    if (!people.has(row.principal)) people.set(row.principal, await person(engine, row.principal));
    const who = people.get(row.principal);
    if (principal !== undefined && who?.subject !== principal) continue;
    if (!agents.has(row.delegation)) agents.set(row.delegation, await agentOf(engine, row, who));
    const name = agents.get(row.delegation)!;
    if (agent !== undefined && name !== agent) continue;
    found.push({
      principal: who?.subject ?? "(erased)",
      agent: name,
      tool: row.tool,
      verdict: row.verdict,
      code: row.code as Code,
      ...(row.outcome !== undefined && { outcome: row.outcome }),
      at: row.at,
      action: row.action,
      session: row.session,
      index: row.index,
    });
  }
  return found;
}

async function person(engine: Engine, pseudonym: string): Promise<Person | undefined> {
  const row = await engine.subject(pseudonym);
  return row && { subject: row.subject, vault: vaultOf(pseudonym, row.key) };
}

async function agentOf(engine: Engine, row: StoredRecord, who: Person | undefined): Promise<string> {
  const stored = who && (await engine.delegationOf(row.delegation));
  return stored ? (openDelegation(who.vault, stored).agent ?? "agent") : "(erased)";
}
