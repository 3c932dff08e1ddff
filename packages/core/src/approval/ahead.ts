import { canonical, parseJson, sha256Text } from "@behest/jws";
import {
  BREAK_GLASS,
  type MandateEntry,
  type OverrideEntry,
  readMandate,
  readOverride,
} from "@behest/provenance";
import { invalid, saidIn } from "./approval.ts";
import { begunIn } from "./begun.ts";
import type { Vault } from "../record/content.ts";
import type { Deployment } from "../deployment.ts";
import { enrolledSigner, holdersIn, inTime } from "./enrolled.ts";
import { entryAt } from "../record/entry-at.ts";
import { BehestError } from "../error.ts";
import { openDelegation } from "../session/lineage.ts";
import { type Mandate, type SignedMandate, checkMandate } from "./mandate.ts";
import { type Override, type SignedOverride, checkOverride } from "./override.ts";
import { warnOfOverride } from "./break-glass.ts";
import { principalOf } from "../record/principal.ts";
import type { ApprovalRow, StoredApproval } from "../store/types.ts";

/** What a person signs ahead of actions. */
export type Ahead = Mandate | Override;

export function isMandate(what: Ahead): what is Mandate {
  return "terms" in what.about;
}

/** As it was sealed. Throws where the row was altered, also by somebody who can seal. */
export function openAhead(vault: Vault, row: StoredApproval): Ahead {
  const what = parseJson(vault.open(row.id, "ahead", row.sealed)) as unknown as Ahead;
  check(what);
  if (row.id !== nameOf(what)) throw new Error("it is another one");
  return what;
}

/** Hashes of the entries of those who have signed it, one a person; none where anybody has ended it. */
export async function signersOf(
  deployment: Deployment,
  row: StoredApproval,
  what: Ahead,
  chain: ReadonlySet<string>,
): Promise<readonly string[]> {
  const persons = new Map<string, string>();
  for (const { index, hash } of row.decisions) {
    const payload = await entryAt(deployment.engine, index);
    if (payload?.type !== "approval") return [];
    // It was verified when it was handed in: that its signer has left since does not bring back what was ended.
    if (saidIn(payload) === "deny") return [];
    const said = await read(deployment, what, chain, payload.decision).catch(() => undefined);
    if (said && !persons.has(said.person)) persons.set(said.person, hash);
  }
  return [...persons.values()];
}

/** Records what was signed ahead, or that somebody ends it. Throws `approval_invalid`, `approval_missing`. */
export async function submitAhead(
  deployment: Deployment,
  signed: SignedMandate | SignedOverride,
): Promise<void> {
  const { engine, clock } = deployment;
  const { jws } = signed;
  const what = "mandate" in signed ? signed.mandate : signed.override;
  const id = checkedName(what);
  const delegation = await engine.delegationOf(what.about.leaf);
  const who = delegation && (await principalOf(engine, delegation.principal));
  if (!who) throw missing("the log has not met its delegation. Open a session on it first");
  const { vault } = who;
  const chain = holdersIn(openDelegation(vault, delegation).chain);
  const { decision } = await read({ manifest: await begunIn(deployment), clock }, what, chain, jws).catch(
    (cause: unknown) => {
      throw invalid("nobody has signed it who may, or its time is over", cause);
    },
  );
  const row: ApprovalRow = {
    id,
    kind: isMandate(what) ? "mandate" : "override",
    args: sha256Text(canonical(what.about)),
    principal: delegation.principal,
    sealed: vault.seal(id, "ahead", canonical(what)),
    expires: what.about.exp * 1000,
  };
  const stored = await engine.approval(id);
  if (stored && stored.args !== row.args) throw invalid("there is another one of this name");
  if (!stored && decision === "deny") throw missing("nobody has signed what this would end");
  const append = {
    entry: entryOf(what, jws, { at: new Date(clock()).toISOString(), delegation: delegation.hash }),
    under: what.about.leaf,
    decides: [id],
    once: `decision:${sha256Text(jws)}`,
  };
  const placed = stored ? undefined : await engine.append({ ...append, approval: row });
  // Somebody else has signed it before.
  if (!placed || placed.again) await engine.append(append);
  if (isMandate(what) || decision === "deny") return;
  warnOfOverride(deployment, id);
  deployment.alerts.overridden("approved", id, { principal: delegation.principal });
}

function entryOf(
  what: Ahead,
  decision: string,
  { at, delegation }: { readonly at: string; readonly delegation: string },
): string {
  const common = { v: 1, type: "approval", at, decision, links: { delegation } } as const;
  const entry: MandateEntry | OverrideEntry = isMandate(what)
    ? { ...common, kind: "mandate", content: { terms: what.about.terms } }
    : { ...common, kind: "override", content: { reason: what.about.reason } };
  return canonical(entry);
}

async function read(
  trust: Pick<Deployment, "manifest" | "clock">,
  what: Ahead,
  chain: ReadonlySet<string>,
  jws: string,
): Promise<{ readonly decision: "approve" | "deny"; readonly person: string }> {
  const signer = enrolledSigner(trust, jws, chain);
  const mandate = isMandate(what);
  const { decision, iat, ...said } = mandate
    ? await readMandate(jws, signer.key)
    : await readOverride(jws, signer.key);
  if (canonical(said) !== canonical({ v: 1, ...what.about })) throw new Error("it is about something else");
  inTime({ iat, exp: said.exp }, trust.clock());
  return { decision, person: signer.personIn(mandate ? what.about.group : BREAK_GLASS) };
}

/** It is well-formed, and what it commits to is what it shows. */
function check(what: Ahead): void {
  if (isMandate(what)) checkMandate(what);
  else checkOverride(what);
}

function checkedName(what: Ahead): string {
  try {
    check(what);
    return nameOf(what);
  } catch (cause) {
    throw BehestError.isInstance(cause) ? cause : invalid("it is neither a mandate nor an override", cause);
  }
}

/** Both commit under a random salt: no two have one name. */
export function nameOf(what: Ahead): string {
  return isMandate(what) ? what.about.terms : what.about.reason;
}

function missing(what: string): BehestError {
  return new BehestError("approval_missing", `approval_missing: ${what}.`);
}
