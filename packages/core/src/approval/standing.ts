import { canonical, parseJson } from "@behest/jws";
import { type ApprovalContext, readApproval } from "@behest/provenance";
import { type Asked, type Need, saidIn } from "./approval.ts";
import { type Vault } from "../record/content.ts";
import type { Deployment } from "../deployment.ts";
import { enrolledSigner, inTime } from "./enrolled.ts";
import { entryAt } from "../record/entry-at.ts";
import type { LiveSession } from "../session/live.ts";
import type { Prepared } from "../record/record.ts";
import { erased } from "../store/erasure.ts";
import type { StoredApproval } from "../store/types.ts";

/** How often it is looked whether persons have decided, ms. */
export const LOOK_EVERY = 250;

/** A decision that holds: who decided what, for which group, on which actions. */
export interface Decided {
  readonly decision: "approve" | "deny";
  readonly group: string;
  readonly person: string;
  readonly actions: readonly string[];
}

/** What persons have decided on an action that waits. */
export type Standing =
  | ({ readonly state: "waiting" } & Approved)
  | { readonly state: "denied" }
  | { readonly state: "expired" }
  | ({
      readonly state: "granted";
      /** Hashes of the entries it rests on, one a person and group. */
      readonly approvals: readonly string[];
      /** Decisions that were looked at. */
      readonly decisions: number;
    } & Approved);

interface Approved {
  /** Who has approved, by group. */
  readonly persons: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What was asked, as it was sealed. Throws where the row was altered; `principal_erased` where it is empty. */
export function openAsked(vault: Vault, row: StoredApproval): Asked {
  if (row.sealed.length === 0) throw erased();
  return parseJson(vault.open(row.id, "approval", row.sealed)) as unknown as Asked;
}

/**
 * The decision in `jws`, where it holds under the trust manifest as it is now: an approver enrolled in the group it
 * decides for signed it, over this very ask among others, in time, and none of that person's keys is in the chain.
 * Throws what is wrong.
 */
export async function decided(
  trust: Pick<Deployment, "manifest">,
  asked: Asked,
  chain: ReadonlySet<string>,
  jws: string,
  now: number,
): Promise<Decided> {
  const signer = enrolledSigner(trust, jws, chain);
  const said = await readApproval(jws, signer.key);
  if (!said.about.some((context) => isSame(context, asked.about)))
    throw new Error("it is about another action");
  inTime(said, now);
  const { decision, group, about } = said;
  if (!asked.needs.some((need) => need.group === group)) throw new Error("its group was not asked");
  return { decision, group, person: signer.personIn(group), actions: about.map(({ action }) => action) };
}

function isSame(a: ApprovalContext, b: ApprovalContext): boolean {
  return (
    a.action === b.action &&
    a.leaf === b.leaf &&
    a.tool === b.tool &&
    a.args === b.args &&
    a.nonce === b.nonce &&
    a.policy === b.policy
  );
}

/** What persons have handed in on an action, as they signed it, in log order. */
async function handedIn(
  { engine }: Deployment,
  row: StoredApproval,
): Promise<readonly { readonly hash: string; readonly jws: string }[]> {
  const found: { hash: string; jws: string }[] = [];
  for (const { index, hash } of row.decisions) {
    const payload = await entryAt(engine, index);
    if (payload?.type === "approval" && payload.kind === "decision")
      found.push({ hash, jws: payload.decision });
  }
  return found;
}

/**
 * Whether somebody has denied it. That was verified when it was handed in and is final: neither does its time end, nor
 * does it matter that its signer has left since.
 */
export async function isDenied(deployment: Deployment, row: StoredApproval): Promise<boolean> {
  return (await handedIn(deployment, row)).some(({ jws }) => saidIn({ decision: jws }) === "deny");
}

/**
 * Whether a person has denied the same tool with the same arguments in this run, under whatever id: nothing that was
 * signed ahead starts it then, and whoever is asked anew decides.
 */
export async function wasDenied({ deployment, vault, root }: LiveSession, same: Prepared): Promise<boolean> {
  for (const row of await deployment.engine.approvals(vault.name("run", root.id))) {
    const { tool, args } = openAsked(vault, row);
    if (tool === same.label && canonical(args) === same.draft.text && (await isDenied(deployment, row)))
      return true;
  }
  return false;
}

/** Every approval is judged anew each time: an approver may have been withdrawn since. */
export async function standingOf(
  deployment: Deployment,
  vault: Vault,
  row: StoredApproval,
  chain: ReadonlySet<string>,
): Promise<Standing> {
  const now = deployment.clock();
  const asked = openAsked(vault, row);
  const persons = new Map<string, Set<string>>();
  const approvals: string[] = [];
  for (const { hash, jws } of await handedIn(deployment, row)) {
    if (saidIn({ decision: jws }) === "deny") return { state: "denied" };
    const one = await decided(deployment, asked, chain, jws, now).catch(() => undefined);
    const group = one && (persons.get(one.group) ?? new Set<string>());
    if (!group || group.has(one.person)) continue;
    persons.set(one.group, group.add(one.person));
    approvals.push(hash);
  }
  if (row.expires <= now) return { state: "expired" };
  return asked.needs.every((need) => isMet(need, persons))
    ? { state: "granted", approvals, decisions: row.decisions.length, persons }
    : { state: "waiting", persons };
}

/** A group's need counts persons, not keys. `decidedBy`: who has approved, by group. */
export function isMet(
  { group, persons }: Need,
  decidedBy: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  return (decidedBy.get(group)?.size ?? 0) >= persons;
}
