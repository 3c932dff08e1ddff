import { addDecimals, checkArguments, compareDecimals } from "@behest/delegation";
import type { Json } from "@behest/jws";
import { isMandate, nameOf, openAhead, signersOf } from "./ahead.ts";
import type { Need } from "./approval.ts";
import { type Account, reservationsOf } from "../budget/budget.ts";
import { named } from "../action/arguments.ts";
import type { Vault } from "../record/content.ts";
import type { Deployment } from "../deployment.ts";
import { holdersOf } from "./enrolled.ts";
import type { Grounds } from "../action/grounds.ts";
import type { LiveSession } from "../session/live.ts";
import type { Mandate } from "./mandate.ts";
import type { Draft } from "../record/record.ts";
import type { Rest } from "../store/types.ts";

/** A mandate that grants what one group is asked for. */
interface Granting {
  readonly rest: Rest;
  readonly approvals: readonly string[];
  readonly account: Account;
}

/**
 * The mandates on which an action starts without asking anybody: one for each need, signed by as many persons as it
 * takes. Undefined where one is missing. What room they have is looked at here and decided when the action begins;
 * `without`: those that had none.
 */
export async function mandatesFor(
  session: LiveSession,
  draft: Draft,
  needs: readonly Need[],
  without: ReadonlySet<string>,
): Promise<Grounds | undefined> {
  const { engine, clock } = session.deployment;
  const { vault } = session;
  const holders = holdersOf(session);
  const left = new Map(needs.map((need) => [need.group, need]));
  const found: Granting[] = [];
  for (const row of await engine.ahead({ principal: vault.principal, since: clock() })) {
    if (row.kind !== "mandate" || without.has(row.id)) continue;
    const mandate = openedMandate(vault, row);
    const need = mandate && left.get(mandate.about.group);
    if (!need || !covers(session, mandate, draft)) continue;
    const approvals = await signersOf(session.deployment, row, mandate, holders);
    const account = mandateAccount(vault, mandate);
    if (approvals.length < need.persons || !(await hasRoom(session.deployment, account, draft))) continue;
    left.delete(need.group);
    found.push({ rest: { id: row.id, decisions: row.decisions.length }, approvals, account });
  }
  if (left.size > 0) return undefined;
  return {
    approvals: found.flatMap(({ approvals }) => approvals),
    rests: found.map(({ rest }) => rest),
    accounts: found.map(({ account }) => account),
  };
}

/** Undefined where it was altered: then nothing starts on it. */
function openedMandate(vault: Vault, row: Parameters<typeof openAhead>[1]): Mandate | undefined {
  try {
    const what = openAhead(vault, row);
    return isMandate(what) ? what : undefined;
  } catch {
    return undefined;
  }
}

function covers(
  { parts, deployment }: LiveSession,
  { about, constraints, amount }: Mandate,
  draft: Draft,
): boolean {
  if (!parts.hops.some(({ hash }) => hash === about.leaf)) return false;
  if (about.tool !== draft.tool || about.policy !== deployment.policies?.digest) return false;
  // What it spends is not known, or not of what may be spent.
  if (amount && !draft.class.amount) return false;
  const args = named(JSON.parse(draft.text) as Json);
  return checkArguments(Object.fromEntries([[about.tool, constraints]]), about.tool, args) === undefined;
}

/** What it limits, counted like the limits of a delegation, under a name of its own. */
export function mandateAccount(vault: Vault, mandate: Mandate): Account {
  const { about, amount } = mandate;
  const id = nameOf(mandate);
  return {
    path: `mandates.${id}`,
    limit: { calls: about.count, ...(amount && { amount }) },
    counter: vault.name("mandate", id),
    until: about.exp * 1000,
  };
}

async function hasRoom({ engine }: Deployment, account: Account, draft: Draft): Promise<boolean> {
  const charges = reservationsOf([account], draft.class.amount).map(({ charge }) => charge);
  const held = await engine.held(charges.map(({ counter }) => counter));
  return charges.every(({ add, most }, i) => compareDecimals(addDecimals(held[i]!, add), most) <= 0);
}
