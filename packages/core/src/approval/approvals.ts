import { sha256Text } from "@behest/jws";
import type { DecisionEntry } from "@behest/provenance";
import { submitAhead } from "./ahead.ts";
import { type Approval, type ApprovalDecision, type Asked, invalid } from "./approval.ts";
import { begunIn } from "./begun.ts";
import type { Vault } from "../record/content.ts";
import type { Deployment } from "../deployment.ts";
import { holdersIn } from "./enrolled.ts";
import { entryAt } from "../record/entry-at.ts";
import { BehestError } from "../error.ts";
import { approvalStats, measureDecision, rulesOf } from "./fatigue.ts";
import { listAhead } from "./in-force.ts";
import { openDelegation } from "../session/lineage.ts";
import { principalOf } from "../record/principal.ts";
import { entryText } from "../record/record.ts";
import { LOOK_EVERY, decided, isDenied, isMet, openAsked, standingOf } from "./standing.ts";
import type { StoredApproval } from "../store/types.ts";
import type { Approvals } from "../types.ts";

/** What waits for persons, and the door for what they have signed. */
export function approvalsOf(deployment: Deployment): Approvals {
  const { engine, clock } = deployment;

  const opened = async (row: StoredApproval): Promise<Opened | undefined> => {
    const who = await principalOf(engine, row.principal);
    if (!who) return undefined;
    const { vault } = who;
    const asked = openAsked(vault, row);
    const stored = await engine.delegationOf(asked.about.leaf);
    return { vault, asked, holders: holdersIn(stored ? openDelegation(vault, stored).chain : []) };
  };

  return {
    async list(filter = {}) {
      const found: Approval[] = [];
      for (const row of await engine.approvals()) {
        if (row.expires <= clock()) continue;
        const one = await opened(row);
        if (!one) continue;
        if (filter.run !== undefined && one.vault.name("run", filter.run) !== row.run) continue;
        const standing = await standingOf(deployment, one.vault, row, one.holders);
        if (!("persons" in standing)) continue;
        for (const need of one.asked.needs) {
          const { group, persons } = need;
          if ((filter.group ?? group) !== group) continue;
          if (!filter.approved && isMet(need, standing.persons)) continue;
          const { needs: _, given: __, deferred: ___, ...shown } = one.asked;
          const approved = standing.persons.get(group)?.size ?? 0;
          found.push({ id: row.id, ...shown, group, need: persons, approved, expires: row.expires });
        }
      }
      return found;
    },

    submit: (ids, decision) => deployment.under(() => submit(ids, decision)),

    submitAhead: (signed) => deployment.under(() => submitAhead(deployment, signed)),

    ahead: () => listAhead(deployment),

    stats: () => approvalStats(engine),

    async settled(asks, { signal } = {}) {
      for (const { approval } of asks)
        while (await isWaiting(approval)) {
          signal?.throwIfAborted();
          await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
        }
    },
  };

  async function submit(ids: string | readonly string[], { jws }: ApprovalDecision): Promise<void> {
    const named = new Set([ids].flat());
    const asks = new Map<string, StoredApproval>();
    let said: Awaited<ReturnType<typeof decided>> | undefined;
    const trust = { manifest: await begunIn(deployment) };
    for (const id of named) {
      const row = await engine.approval(id);
      const waits = row?.kind === "ask" && !row.spent && row.expires > clock();
      const one = waits ? await opened(row) : undefined;
      if (!row || !one || (await isDenied(deployment, row))) throw missing();
      said = await decided(trust, one.asked, one.holders, jws, clock()).catch((cause: unknown) => {
        throw invalid(NO_DECISION, cause);
      });
      asks.set(id, row);
    }
    // Neither more nor less than was signed: a plan is handed in whole.
    if (!said || said.actions.length !== named.size) throw invalid(NO_DECISION);
    const { actions, decision } = said;
    const decides = actions.map((id) => asks.get(id)!);
    await engine.append({
      entry: entryText({
        actions,
        at: new Date(clock()).toISOString(),
        decision: jws,
        kind: "decision",
        links: { actions: decides.map(({ asked }) => asked.hash) },
        type: "approval",
        v: 1,
      } satisfies DecisionEntry),
      decides: actions,
      once: `decision:${sha256Text(jws)}`,
    });
    for (const { decisions, asked } of decides) {
      if (decisions.length > 0) continue;
      const ask = await entryAt(engine, asked.index);
      if (ask?.type === "action") measureDecision(rulesOf(ask), decision, clock() - Date.parse(ask.at));
    }
  }

  async function isWaiting(id: string): Promise<boolean> {
    const row = await engine.approval(id);
    if (row?.kind !== "ask" || row.spent) return false;
    const one = await opened(row);
    if (!one) return false;
    return (await standingOf(deployment, one.vault, row, one.holders)).state === "waiting";
  }
}

interface Opened {
  readonly vault: Vault;
  readonly asked: Asked;
  readonly holders: ReadonlySet<string>;
}

const NO_DECISION =
  "it is not a decision on just these actions by an approver of a group that was asked, or its time is over";

function missing(): BehestError {
  return new BehestError(
    "approval_missing",
    "approval_missing: nothing waits under this id: it was decided, has expired, or never was.",
  );
}
