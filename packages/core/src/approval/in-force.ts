import { addDecimals } from "@behest/delegation";
import { isMandate, openAhead, signersOf } from "./ahead.ts";
import type { Deployment } from "../deployment.ts";
import { holdersIn } from "./enrolled.ts";
import { openDelegation } from "../session/lineage.ts";
import type { Mandate } from "./mandate.ts";
import { mandateAccount } from "./mandates.ts";
import type { Override } from "./override.ts";
import { principalOf } from "../record/principal.ts";

interface Shown {
  /** Its name. */
  readonly id: string;
  /** On whose behalf, and what the agent is called. */
  readonly principal: string;
  readonly agent: string;
  /** How many persons' signatures hold. */
  readonly persons: number;
}

export interface MandateInForce extends Shown {
  readonly mandate: Mandate;
  /** Actions, and by currency what they may still spend. */
  readonly left: { readonly count: number; readonly amount?: { readonly [currency: string]: string } };
}

export interface OverrideInForce extends Shown {
  readonly override: Override;
}

/** What was signed ahead and holds now: neither expired nor ended by anybody. In log order. */
export interface AheadInForce {
  readonly mandates: readonly MandateInForce[];
  readonly overrides: readonly OverrideInForce[];
}

export async function listAhead(deployment: Deployment): Promise<AheadInForce> {
  const { engine, clock } = deployment;
  const mandates: MandateInForce[] = [];
  const overrides: OverrideInForce[] = [];
  for (const row of await engine.ahead({ since: clock() })) {
    const who = await principalOf(engine, row.principal);
    if (!who) continue;
    const { vault } = who;
    const what = openAhead(vault, row);
    const stored = await engine.delegationOf(what.about.leaf);
    if (!stored) continue;
    const { chain, agent = "agent" } = openDelegation(vault, stored);
    const persons = (await signersOf(deployment, row, what, holdersIn(chain))).length;
    if (persons === 0) continue;
    const shown = { id: row.id, principal: who.subject, agent, persons };
    if (!isMandate(what)) {
      overrides.push({ ...shown, override: what });
      continue;
    }
    const { counter } = mandateAccount(vault, what);
    const limits = Object.entries(what.amount ?? {});
    const names = ["calls", ...limits.map(([currency]) => currency)];
    const [calls, ...spent] = await engine.held(names.map((name) => `${counter}.${name}`));
    const amount = Object.fromEntries(
      limits.map(([currency, most], i) => [currency, addDecimals(most, `-${spent[i]}`)]),
    );
    const left = { count: what.about.count - Number(calls), ...(what.amount && { amount }) };
    mandates.push({ ...shown, mandate: what, left });
  }
  return { mandates, overrides };
}
