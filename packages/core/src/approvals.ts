import { parseJson, sha256Text, splitCompact } from "@behest/jws";
import { parseEntry, parsePayload } from "@behest/provenance";
import type { Approval } from "./approval.ts";
import { vaultOf } from "./content.ts";
import type { Deployment } from "./deployment.ts";
import { BehestError } from "./error.ts";
import { approvalStats, measureDecision, rulesOf } from "./fatigue.ts";
import { openDelegation } from "./lineage.ts";
import { entryText } from "./record.ts";
import { decided, openAsked, standingOf } from "./standing.ts";
import type { StoredApproval } from "./store/types.ts";
import type { Approvals } from "./types.ts";

/** How often {@link Approvals.settled} looks, ms. */
const LOOK_EVERY = 250;

/** What waits for persons, and the door for what they have signed. */
export function approvalsOf(deployment: Deployment): Approvals {
  const { engine, clock } = deployment;

  const opened = async (row: StoredApproval): Promise<Opened | undefined> => {
    const who = await engine.subject(row.principal);
    if (!who) return undefined;
    const vault = vaultOf(row.principal, who.key);
    const asked = openAsked(vault, row);
    const stored = await engine.delegationOf(asked.about.leaf);
    const { chain } = stored ? openDelegation(vault, stored) : { chain: [] };
    return { vault, asked, keys: new Set(chain.map(holderOf)) };
  };

  return {
    async list(filter = {}) {
      const found: Approval[] = [];
      for (const row of await engine.approvals()) {
        if (row.expires <= clock()) continue;
        const one = await opened(row);
        if (!one) continue;
        if (filter.run !== undefined && one.vault.name("run", filter.run) !== row.run) continue;
        for (const { group, persons } of one.asked.needs) {
          if (filter.group !== undefined && filter.group !== group) continue;
          const { needs: _, given: __, ...shown } = one.asked;
          found.push({ id: row.action, ...shown, group, need: persons, expires: row.expires });
        }
      }
      return found;
    },

    async submit(id, decision) {
      const row = await engine.approval(id);
      const one = row && !row.spent && row.expires > clock() ? await opened(row) : undefined;
      if (!row || !one) throw missing();
      const said = await decided(deployment, one.asked, one.keys, decision.jws, clock()).catch(
        (cause: unknown) => {
          throw new BehestError(
            "approval_invalid",
            "approval_invalid: it is not a decision on this action by an approver of a group that was asked, or its time is over.",
            { cause },
          );
        },
      );
      await engine.append({
        entry: entryText({
          action: id,
          at: new Date(clock()).toISOString(),
          content: {},
          decision: decision.jws,
          links: { action: row.asked.hash },
          type: "approval",
          v: 1,
        }),
        decides: id,
        once: `decision:${sha256Text(decision.jws)}`,
      });
      if (row.decisions.length > 0) return;
      const [jws] = await engine.entries(row.asked.index, 1);
      const ask = jws === undefined ? undefined : parsePayload(parseEntry(jws).payload);
      if (ask?.type === "action") measureDecision(rulesOf(ask), said.decision, clock() - Date.parse(ask.at));
    },

    stats: () => approvalStats(engine),

    async settled(asks, { signal } = {}) {
      for (const { approval } of asks)
        while (await isWaiting(approval)) {
          signal?.throwIfAborted();
          await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
        }
    },
  };

  async function isWaiting(id: string): Promise<boolean> {
    const row = await engine.approval(id);
    if (!row || row.spent) return false;
    const one = await opened(row);
    if (!one) return false;
    return (await standingOf(deployment, one.vault, row, one.keys)).state === "waiting";
  }
}

interface Opened {
  readonly vault: ReturnType<typeof vaultOf>;
  readonly asked: ReturnType<typeof openAsked>;
  /** Holders' public keys. */
  readonly keys: ReadonlySet<string>;
}

function missing(): BehestError {
  return new BehestError(
    "approval_missing",
    "approval_missing: nothing waits under this id: it was decided, has expired, or never was.",
  );
}

/** `x` of the key that a stored token is bound to. */
function holderOf(token: string): string {
  const { cnf } = parseJson(splitCompact(token).payload) as { cnf: { jwk: { x: string } } };
  return cnf.jwk.x;
}
