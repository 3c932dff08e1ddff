import { parseJson, publicKey, thumbprint } from "@behest/jws";
import {
  type Approver,
  approverOf,
  parseEntry,
  parsePayload,
  readApproval,
  rolesAt,
} from "@behest/provenance";
import type { Asked, Need } from "./approval.ts";
import { type Vault } from "./content.ts";
import type { Deployment } from "./deployment.ts";
import type { StoredApproval } from "./store/types.ts";

/** A decision that holds: who decided what, for which group. */
export interface Decided {
  readonly decision: "approve" | "deny";
  readonly group: string;
  readonly person: string;
}

/** What persons have decided on an action that waits. */
export type Standing =
  | { readonly state: "waiting" }
  | { readonly state: "denied" }
  | { readonly state: "expired" }
  | {
      readonly state: "granted";
      /** Hashes of the entries it rests on, one a person and group. */
      readonly approvals: readonly string[];
      /** Decisions that were looked at. */
      readonly decisions: number;
    };

/** What was asked, as it was sealed. Throws where the row was altered. */
export function openAsked(vault: Vault, row: StoredApproval): Asked {
  return parseJson(vault.open(row.action, "approval", row.sealed)) as unknown as Asked;
}

/**
 * The decision in `jws`, where it holds under the trust manifest as it is now: an approver enrolled in the group it
 * decides for signed it, over this very ask, in time, and none of that person's keys is in the chain. Throws what is wrong.
 */
export async function decided(
  deployment: Deployment,
  asked: Asked,
  chain: ReadonlySet<string>,
  jws: string,
  now: number,
): Promise<Decided> {
  const kid = approverOf(jws);
  const { approvers } = deployment.manifest;
  const roles = rolesAt(approvers).filter(({ jwk }) => thumbprint(jwk) === kid);
  const [role] = roles;
  // A person whose key is in the chain does not approve with another one.
  const isInChain = ({ person, jwk }: Approver): boolean =>
    chain.has(jwk.x) && roles.some((own) => own.person === person);
  if (!role || approvers.some(isInChain)) throw new Error("not an approver of this chain");
  const said = await readApproval(jws, publicKey(role.jwk));
  const { action, leaf, tool, args, nonce } = asked.about;
  const isSame =
    said.action === action &&
    said.leaf === leaf &&
    said.tool === tool &&
    said.args === args &&
    said.nonce === nonce;
  if (!isSame) throw new Error("it is about another action");
  if (said.exp * 1000 <= now || said.iat * 1000 > now + SKEW) throw new Error("it is out of its time");
  const enrolled: Approver | undefined = roles.find(({ group }) => group === said.group);
  if (!enrolled || !asked.needs.some(({ group }) => group === said.group))
    throw new Error("its signer is not in a group that was asked");
  return { decision: said.decision, group: said.group, person: enrolled.person };
}

/** ms that an approver's clock may be ahead. */
const SKEW = 60_000;

/** Everything is judged anew each time: an approver may have been withdrawn since. */
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
  for (const { index, hash } of row.decisions) {
    const [entry] = await deployment.engine.entries(index, 1);
    const payload = entry === undefined ? undefined : parsePayload(parseEntry(entry).payload);
    if (payload?.type !== "approval") continue;
    const one = await decided(deployment, asked, chain, payload.decision, now).catch(() => undefined);
    if (one?.decision === "deny") return { state: "denied" };
    const group = one && (persons.get(one.group) ?? new Set<string>());
    if (!group || group.has(one.person)) continue;
    persons.set(one.group, group.add(one.person));
    approvals.push(hash);
  }
  if (row.expires <= now) return { state: "expired" };
  return asked.needs.every((need) => isMet(need, persons))
    ? { state: "granted", approvals, decisions: row.decisions.length }
    : { state: "waiting" };
}

/** A group's need counts persons, not keys. */
function isMet({ group, persons }: Need, decidedBy: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  return (decidedBy.get(group)?.size ?? 0) >= persons;
}
