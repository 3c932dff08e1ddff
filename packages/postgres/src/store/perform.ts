import {
  type Append,
  type Begin,
  type BeginResult,
  type Charge,
  type Finish,
  type FinishResult,
  type Held,
  LAPSED,
  type Placed,
  type Principal,
  type PrincipalRow,
  type SeenTool,
  askedBefore,
  ERASED,
  childless,
  conflict,
  erased,
  lapsed,
  mayFinish,
  mayStart,
  newPrincipal,
  ownerOf,
  pruned,
  restsOn,
  ruleBegin,
  ruleCharges,
  ruleDelegation,
  ruleUnspent,
} from "@behest/core/store";
import { pairOf, stateOf, turnOf } from "./keys.ts";
import { ask, decide, delegate, keep, record, settle } from "./beside.ts";
import type { ActionRow, Place, Work } from "./work.ts";

/** What is asked of the log. */
export type Write =
  | { readonly op: "append"; readonly request: Append }
  | { readonly op: "begin"; readonly request: Begin }
  | { readonly op: "finish"; readonly request: Finish }
  | { readonly op: "principal"; readonly issuer: string; readonly subject: string }
  | { readonly op: "register"; readonly who: Principal }
  | { readonly op: "forget"; readonly run: string }
  | { readonly op: "spend"; readonly id: string; readonly until: number }
  | { readonly op: "cosigned"; readonly size: number; readonly note: string }
  | { readonly op: "document"; readonly digest: string; readonly text: string }
  /** Writes what waits for something else to be written. */
  | { readonly op: "flush" };

/** Applies one request to what was found. `lease`: of this process. */
export function perform(work: Work, write: Write, lease: string): unknown {
  switch (write.op) {
    case "append":
      return append(work, write.request);
    case "begin":
      return begin(work, write.request, lease);
    case "finish":
      return finish(work, write.request, lease);
    case "principal":
      return principal(work, write.issuer, write.subject);
    case "register":
      return register(work, write.who);
    case "forget":
      work.forgotten.add(write.run);
      return work.found.turns.drop(({ run }) => run === write.run);
    case "spend":
      return spend(work, write.id, write.until);
    case "cosigned": {
      const { size, note } = write;
      const kept = work.found.cosigned.get("");
      return kept && kept.size > size ? undefined : work.found.cosigned.set("", { size, note });
    }
    case "document": {
      const { digest, text } = write;
      return work.found.documents.get(digest)
        ? undefined
        : work.found.documents.set(digest, { digest, text });
    }
    case "flush":
      return undefined;
  }
}

function append(work: Work, request: Append): Placed {
  const { entry, once, delegation, charge, journal, approval, decides } = request;
  refuse(work, ownerOf(request));
  refusePruned(work, request);
  const stored = storedBefore(work, request);
  if (stored) return work.placed({ index: stored.idx, hash: stored.hash, again: true });
  const charges = charge ? [charge] : [];
  const counted = ruleCharges(charges, [], counterIn(work), work.now);
  if ("spent" in counted) throw childless();
  const placed = work.place(entry);
  const place = { idx: placed.index, hash: placed.hash };
  count(work, charges, counted.held);
  // What was pruned is recorded anew.
  if (once !== undefined) work.found.once.set(once, { key: once, ...place });
  if (delegation) delegate(work, delegation, place);
  if (journal) work.found.turns.set(turnOf(journal), { ...journal, ...place });
  if (request.record) record(work, request.record, place.idx);
  if (approval) ask(work, approval, placed);
  for (const id of decides ?? []) decide(work, id, placed);
  keep(work, request.content, place.idx);
  return placed;
}

/** Throws `entry_pruned`. */
function refusePruned({ found }: Work, request: Partial<Append & Begin>): void {
  const turn = request.record?.interaction;
  const isGone = turn !== undefined && found.gone.get(String(turn)) !== undefined;
  if (isGone || restsOn(request).some((key) => found.once.get(key))) throw pruned();
}

/** Place of what the request would store a second time. */
function storedBefore(
  { found, now }: Work,
  { once, delegation, journal, approval }: Append,
): Place | undefined {
  if (approval) {
    const asked = found.approvals.get(approval.id);
    return askedBefore(asked, approval) === undefined ? undefined : placeOf(asked!.asked);
  }
  if (delegation) {
    const { leaf, jti, request } = delegation;
    const stored =
      found.delegations.get(leaf) ?? (request === undefined ? undefined : found.spawnedBy.get(jti));
    const known = stored && {
      leaf: stored.leaf,
      principal: stored.principal,
      ...(stored.request !== null && { request: stored.request }),
    };
    const ruling = ruleDelegation(known, delegation);
    if (ruling === "action_conflict") throw conflict();
    if (ruling === "again") return stored;
  }
  const denied = once === undefined ? undefined : found.once.get(once);
  if (denied && !denied.gone) return denied;
  const turn = journal && found.turns.get(turnOf(journal));
  return turn && (turn["until"] as number) > now ? turn : undefined;
}

function placeOf({ index, hash }: { readonly index: number; readonly hash: string }): Place {
  return { idx: index, hash };
}

function begin(work: Work, request: Begin, lease: string): BeginResult {
  const { found, now, cuts } = work;
  refuse(work, ownerOf(request));
  refusePruned(work, request);
  for (;;) {
    const row = found.actions.get(request.action);
    const state = row && stateOf(row);
    const ruling = ruleBegin(state, request, now, () => row?.lease === lease || row?.living === true);
    switch (ruling.next) {
      case "lapse":
        lapse(work, row!);
        continue;
      case "answer":
        return ruling.answer;
      case "tell": {
        const { outcome, code } = ruling;
        return { begun: "ended", outcome, code, ...(row?.sealed && { result: row.sealed }) };
      }
      case "start": {
        const { charges = [], rests, seen } = request;
        if (seen !== undefined && seen < cuts) return { begun: "refused", code: "cuts_unseen" };
        if (!mayStart(request, (id) => found.approvals.get(id), now))
          return { begun: "refused", code: "approval_needed" };
        const before = state?.charged ?? [];
        const counted = ruleCharges(charges, before, counterIn(work), now);
        if ("spent" in counted) return { begun: "refused", code: "budget_spent", charge: counted.spent };
        const asked = found.approvals.get(request.action);
        if (rests && asked) found.approvals.set(asked.id, { ...asked, spent: true });
        const placed = request.entry === undefined ? undefined : work.place(request.entry);
        count(work, charges, counted.held);
        start(work, request, { lease, placed, charged: [...before, ...counted.held.keys()] });
        if (placed && request.record) record(work, request.record, placed.index);
        keep(work, request.content, placed?.index ?? request.action);
        return { begun: "started", ...(placed && { placed }) };
      }
    }
  }
}

function start(
  work: Work,
  { action, args, given, attempt, repeatable }: Begin,
  by: {
    readonly lease: string;
    readonly placed: Placed | undefined;
    readonly charged: readonly string[];
  },
): void {
  work.found.actions.set(action, {
    id: action,
    args,
    given: given ?? null,
    attempt,
    repeatable,
    lease: by.lease,
    entry: by.placed?.index ?? null,
    ended: null,
    outcome: null,
    code: null,
    result: null,
    charged: textOf(by.charged),
    hash: by.placed?.hash ?? null,
    living: false,
    sealed: null,
  });
}

function finish(work: Work, request: Finish, lease: string): FinishResult {
  const row = work.found.actions.get(request.action);
  const state = row && stateOf(row);
  if (!row || !state || !mayFinish(state, request, row.lease === lease)) return { finished: "late" };
  const placed = request.entry === undefined ? undefined : work.place(request.entry);
  const { outcome, code, result, unspent = [], content } = request;
  const held = ruleUnspent(unspent, state.charged, counterIn(work));
  count(work, unspent, held);
  const charged = textOf(state.charged.filter((counter) => !held.has(counter)));
  const left = content?.filter(({ principal }) => !isErased(work, principal));
  const told = left?.find(({ id, until = Infinity }) => id === result && until > work.now);
  const end = { outcome, code, result: result ?? null, ended: placed?.index ?? null };
  settle(work, { ...row, ...end, charged, sealed: told?.sealed ?? null });
  keep(work, left, placed?.index ?? request.action);
  return { finished: "ended", ...(placed && { placed }) };
}

/** Nobody holds its lease any more: what became of it is not known. A spawn leaves no entry. */
export function lapse(work: Work, row: ActionRow): void {
  const placed = row.hash === null ? undefined : work.place(lapsed(row.id, row.attempt, row.hash, work.now));
  settle(work, { ...row, ...LAPSED, result: null, ended: placed?.index ?? null });
}

function isErased({ found }: Work, principal: string): boolean {
  return found.once.get(ERASED + principal) !== undefined;
}

/** Throws `principal_erased`. */
function refuse(work: Work, principal: string | undefined): void {
  if (principal !== undefined && isErased(work, principal)) throw erased();
}

function counterIn({ found }: Work): (counter: string) => string | undefined {
  return (counter) => found.counters.get(counter)?.held;
}

function count({ found }: Work, charges: readonly Charge[], held: Held): void {
  for (const { counter, until } of charges) {
    const value = held.get(counter);
    const before = found.counters.get(counter)?.until ?? until;
    // Kept as long as the longest-lived of those that share it.
    if (value !== undefined)
      found.counters.set(counter, { id: counter, held: value, until: Math.max(before, until) });
  }
}

function textOf(charged: readonly string[]): string | null {
  return charged.length === 0 ? null : charged.join(" ");
}

function principal({ found }: Work, issuer: string, subject: string): PrincipalRow {
  const known = found.principals.get(pairOf(issuer, subject));
  if (known) return { pseudonym: known.pseudonym, key: known.key };
  const row = newPrincipal();
  found.principals.add(pairOf(issuer, subject), { ...row, issuer, subject });
  return row;
}

function register(work: Work, { issuer, subject, pseudonym, key }: Principal): void {
  const { found } = work;
  refuse(work, pseudonym);
  found.pseudonyms.add(pseudonym, { pseudonym });
  found.principals.add(pairOf(issuer, subject), { issuer, subject, pseudonym, key });
}

function spend({ found, now }: Work, id: string, until: number): boolean {
  if (until <= now || found.spent.get(id)) return false;
  found.spent.set(id, { id, until });
  return true;
}

export function see(work: Work, tools: Iterable<SeenTool>): void {
  for (const { tool, kind, declared, at } of tools)
    work.seen.set(JSON.stringify([tool, kind]), { tool, kind, declared, at });
  work.seen.keep();
}
