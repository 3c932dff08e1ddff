import { isMandate, openAhead, signersOf } from "./ahead.ts";
import { holdersOf } from "./enrolled.ts";
import type { LiveSession } from "../session/live.ts";
import type { Draft } from "../record/record.ts";
import type { Rest } from "../store/types.ts";
import type { Verdict } from "../types.ts";

/** An override that is in force for an action. */
export interface InForce extends Rest {
  /** Hash of the entry of whoever signed it first. */
  readonly entry: string;
}

/** An action that an override lets start. */
export interface Lifted {
  readonly draft: Draft;
  readonly override: InForce;
}

/** Whether an override could let it start: nothing but policies, or approval that is wanted, stands in its way. */
export function isLiftable({ verdict, findings }: Verdict): boolean {
  return verdict === "ask" || (verdict === "deny" && findings.at(-1)?.liftable === true);
}

/** Undefined where none is in force for this session and tool. `without`: those that no longer were when it began. */
export async function overrideFor(
  session: LiveSession,
  tool: string,
  without: ReadonlySet<string>,
): Promise<InForce | undefined> {
  const { deployment, vault, parts } = session;
  const since = deployment.clock();
  for (const row of await deployment.engine.ahead({ principal: vault.principal, since })) {
    if (row.kind !== "override" || without.has(row.id)) continue;
    try {
      const what = openAhead(vault, row);
      if (isMandate(what)) continue;
      const { leaf, tools } = what.about;
      if (!parts.hops.some(({ hash }) => hash === leaf) || !(tools?.includes(tool) ?? true)) continue;
      const [entry] = await signersOf(deployment, row, what, holdersOf(session));
      if (entry !== undefined) return { id: row.id, decisions: row.decisions.length, entry };
    } catch {
      // It was altered: nothing starts on it.
    }
  }
  return undefined;
}
