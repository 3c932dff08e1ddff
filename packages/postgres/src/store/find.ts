import { type Append, type Begin, ERASED, damaged, ownerOf, restsOn } from "@behest/core/store";
import type { Client } from "pg";
import { MINE } from "../tenant.ts";
import { pairOf, turnOf } from "./keys.ts";
import type { Write } from "./perform.ts";
import { Rows } from "./rows.ts";
import { APPROVAL, type ApprovalJson, NOW, approvalOf, bytesOf, hashOf, leafAt } from "./shapes.ts";
import type { ActionRow, DelegationFound, Known, Once, Place, Tables, TurnRow } from "./work.ts";

/** What a group of requests names. */
class Named {
  readonly actions = new Set<string>();
  readonly approvals = new Set<string>();
  readonly counters = new Set<string>();
  readonly once = new Set<string>();
  readonly leaves = new Set<string>();
  readonly jtis = new Set<string>();
  readonly turns = new Map<string, { readonly run: string; readonly key: string }>();
  readonly pairs = new Map<string, { readonly issuer: string; readonly subject: string }>();
  readonly pseudonyms = new Set<string>();
  readonly spent = new Set<string>();
  readonly documents = new Set<string>();
  readonly interactions = new Set<number>();

  add(write: Write): void {
    switch (write.op) {
      case "append": {
        const { approval, charge, once, delegation, journal, decides = [] } = write.request;
        this.#rests(write.request);
        for (const id of [...(approval ? [approval.id] : []), ...decides]) this.approvals.add(id);
        if (charge) this.counters.add(charge.counter);
        if (once !== undefined) this.once.add(once);
        if (delegation) this.leaves.add(delegation.leaf);
        if (delegation?.request !== undefined) this.jtis.add(delegation.jti);
        if (journal) this.turns.set(turnOf(journal), journal);
        return;
      }
      case "begin": {
        const { action, rests = [], charges = [] } = write.request;
        this.actions.add(action);
        this.#rests(write.request);
        for (const id of [action, ...rests.map((rest) => rest.id)]) this.approvals.add(id);
        for (const { counter } of charges) this.counters.add(counter);
        return;
      }
      case "finish":
        this.actions.add(write.request.action);
        for (const { counter } of write.request.unspent ?? []) this.counters.add(counter);
        for (const { principal } of write.request.content ?? []) this.#owner(principal);
        return;
      case "principal":
        this.pairs.set(pairOf(write.issuer, write.subject), write);
        return;
      case "register":
        this.pairs.set(pairOf(write.who.issuer, write.who.subject), write.who);
        this.pseudonyms.add(write.who.pseudonym);
        this.#owner(write.who.pseudonym);
        return;
      case "spend":
        this.spent.add(write.id);
        return;
      case "document":
        this.documents.add(write.digest);
        return;
      case "forget":
      case "cosigned":
      case "flush":
    }
  }

  /** Whether whose it is was erased, and what it rests on pruned. */
  #rests(request: Partial<Append & Begin>): void {
    this.#owner(ownerOf(request));
    for (const key of restsOn(request)) this.once.add(key);
    const turn = request.record?.interaction;
    if (turn !== undefined) this.interactions.add(turn);
  }

  /** Whether they were erased. */
  #owner(principal: string | undefined): void {
    if (principal !== undefined) this.once.add(ERASED + principal);
  }
}

const json = (row: string, from: string): string => `(SELECT coalesce(json_agg(${row}), '[]') FROM ${from})`;
/** The text of an entry was pruned. No EXISTS, which the planner may answer by reading all entries. */
const isGone = (index: string): string =>
  `coalesce((SELECT e.jws = '' FROM behest_entry e WHERE e.${MINE} AND e.idx = ${index}), false)`;
/** Each other row that belongs to one is looked for by itself: a join that was planned while there were few would read them all. */
const placed = `'idx', t.idx, 'hash', ${leafAt("t.idx")}`;
const each = (keys: string, row: string): string => `${keys} CROSS JOIN LATERAL (${row} OFFSET 0) AS t`;

/** An attempt as {@link ActionRow}: with the hash of its entry, its result, and whether another process's lease holds. */
const ACTION = `to_jsonb(t) || jsonb_build_object('hash', ${leafAt("t.entry")}, 'living', ${livingLease("t")},
  'sealed', CASE WHEN t.ended IS NULL
    THEN (SELECT s.sealed FROM behest_spawned s WHERE s.${MINE} AND s.action = t.id AND s.id = t.result
      AND (s.until IS NULL OR s.until > ${NOW}))::text
    ELSE (SELECT c.sealed FROM behest_content c WHERE c.${MINE} AND c.idx = t.ended AND c.id = t.result
      AND (c.until IS NULL OR c.until > ${NOW}) LIMIT 1)::text END)`;

function livingLease(of: string): string {
  return `(${of}.outcome IS NULL AND EXISTS (
    SELECT FROM behest_lease l WHERE l.${MINE} AND l.id = ${of}.lease AND l.expires > ${NOW}))`;
}

/** One statement for all: one round trip, one state. */
const FIND = `SELECT
  (SELECT coalesce(max(seq), 0)::float8 FROM behest_cut WHERE ${MINE}) AS cuts,
  ${json(ACTION, `behest_action t WHERE ${MINE} AND id = ANY($1::text[])`)} AS actions,
  ${json(APPROVAL, `behest_approval a WHERE a.${MINE} AND a.id = ANY($2::text[])`)} AS approvals,
  ${json("t", `behest_counter t WHERE ${MINE} AND id = ANY($3::text[])`)} AS counters,
  ${json(`json_build_object('key', t.key, 'gone', ${isGone("t.idx")}, ${placed})`, `behest_once t WHERE ${MINE} AND key = ANY($4::text[])`)} AS once,
  ${json(
    `json_build_object('leaf', t.leaf, 'jti', t.jti, 'principal', t.principal, 'request', t.request, ${placed})`,
    `(SELECT leaf, jti, principal, request, idx FROM behest_delegation WHERE ${MINE} AND leaf = ANY($5::text[])
      UNION SELECT leaf, jti, principal, request, idx FROM behest_delegation
        WHERE ${MINE} AND jti = ANY($6::text[]) AND request IS NOT NULL) AS t`,
  )} AS delegations,
  ${json(
    `json_build_object('run', t.run, 'key', t.key, 'until', t.until, ${placed})`,
    each(
      "unnest($7::text[], $8::text[]) AS n (run, key)",
      `SELECT * FROM behest_journal WHERE ${MINE} AND run = n.run AND key = n.key`,
    ),
  )} AS turns,
  ${json(
    "json_build_object('pseudonym', t.pseudonym, 'issuer', t.issuer, 'subject', t.subject, 'key', t.key::text)",
    each(
      "unnest($9::text[], $10::text[]) AS n (issuer, subject)",
      `SELECT * FROM behest_principal WHERE ${MINE} AND issuer = n.issuer AND subject = n.subject`,
    ),
  )} AS principals,
  ${json("t.pseudonym", `behest_principal t WHERE ${MINE} AND pseudonym = ANY($11::text[])`)} AS pseudonyms,
  ${json("t", `behest_spent t WHERE ${MINE} AND id = ANY($12::text[])`)} AS spent,
  ${json("t.digest", `behest_document t WHERE ${MINE} AND digest = ANY($13::text[])`)} AS documents,
  ${json("t.idx", `unnest($14::bigint[]) AS t (idx) WHERE ${isGone("t.idx")}`)} AS gone,
  (SELECT size::float8 FROM behest_cosigned WHERE ${MINE}) AS cosigned`;

interface ActionJson extends Omit<ActionRow, "sealed"> {
  readonly sealed: string | null;
}

interface Found {
  readonly cuts: number;
  readonly actions: readonly ActionJson[];
  readonly approvals: readonly ApprovalJson[];
  readonly counters: readonly { readonly id: string; readonly held: string; readonly until: number }[];
  readonly once: readonly Once[];
  readonly gone: readonly number[];
  readonly delegations: readonly DelegationFound[];
  readonly turns: readonly TurnRow[];
  readonly principals: readonly {
    readonly pseudonym: string;
    readonly issuer: string;
    readonly subject: string;
    readonly key: string;
  }[];
  readonly pseudonyms: readonly string[];
  readonly spent: readonly { readonly id: string; readonly until: number }[];
  readonly documents: readonly string[];
  readonly cosigned: number | null;
}

/** Everything that these requests may read, and `actions` beside those that they name. */
export async function find(
  client: Client,
  writes: readonly Write[],
  actions: Iterable<string>,
): Promise<Known> {
  const named = new Named();
  for (const write of writes) named.add(write);
  for (const action of actions) named.actions.add(action);
  const [turns, pairs] = [[...named.turns.values()], [...named.pairs.values()]];
  const sets = [named.actions, named.approvals, named.counters, named.once, named.leaves, named.jtis];
  const values = [
    ...sets.map((set) => [...set]),
    turns.map(({ run }) => run),
    turns.map(({ key }) => key),
    pairs.map(({ issuer }) => issuer),
    pairs.map(({ subject }) => subject),
    [...named.pseudonyms],
    [...named.spent],
    [...named.documents],
    [...named.interactions],
  ];
  const { rows } = await client.query<Found>({ name: "find", text: FIND, values });
  const found = rows[0]!;
  return { cuts: found.cuts, tables: tablesOf(found) };
}

/** Attempts under leases that are over, in log order. */
export async function orphans(client: Client): Promise<readonly ActionRow[]> {
  const { rows } = await client.query<{ readonly row: ActionJson }>(
    `SELECT ${ACTION} AS row FROM behest_action t WHERE ${MINE} AND outcome IS NULL AND NOT ${livingLease("t")} ORDER BY entry`,
  );
  return rows.map(({ row }) => actionOf(row));
}

function tablesOf(found: Found): Tables {
  const delegations = found.delegations.map(withHash);
  return {
    actions: rowsBy(found.actions.map(actionOf), ({ id }) => id),
    approvals: rowsBy(found.approvals.map(approvalOf), ({ id }) => id),
    counters: rowsBy(found.counters, ({ id }) => id),
    once: rowsBy(found.once.map(withHash), ({ key }) => key),
    gone: rowsBy(
      found.gone.map((idx) => ({ idx })),
      ({ idx }) => String(idx),
    ),
    delegations: rowsBy(delegations, ({ leaf }) => leaf),
    spawnedBy: rowsBy(
      delegations.filter(({ request }) => request !== null),
      ({ jti }) => jti,
    ),
    turns: rowsBy(found.turns.map(withHash), turnOf),
    principals: rowsBy(
      found.principals.map((row) => ({ ...row, key: bytesOf(row.key) })),
      ({ issuer, subject }) => pairOf(issuer, subject),
    ),
    pseudonyms: rowsBy(
      found.pseudonyms.map((pseudonym) => ({ pseudonym })),
      ({ pseudonym }) => pseudonym,
    ),
    spent: rowsBy(found.spent, ({ id }) => id),
    cosigned: new Rows(found.cosigned === null ? [] : [["", { size: found.cosigned }]]),
    documents: rowsBy(
      found.documents.map((digest) => ({ digest })),
      ({ digest }) => digest,
    ),
  };
}

function rowsBy<R extends object>(rows: readonly R[], keyOf: (row: R) => string): Rows<R> {
  return new Rows(rows.map((row) => [keyOf(row), row]));
}

function withHash<R extends Place>(row: R): R {
  return { ...row, hash: hashOf(row.hash) };
}

function actionOf(row: ActionJson): ActionRow {
  const { hash, sealed } = row;
  if (row.entry !== null && hash === null) throw damaged(row.entry);
  return {
    ...row,
    hash: hash === null ? null : hashOf(hash),
    sealed: sealed === null ? null : bytesOf(sealed),
  };
}
