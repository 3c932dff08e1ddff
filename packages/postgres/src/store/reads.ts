import type {
  Content,
  DelegationRow,
  Engine,
  Principal,
  PrincipalRow,
  SeenTool,
  StoredApproval,
  StoredDelegation,
  Subtree,
} from "@behest/core/store";
import { damaged, missing } from "@behest/core/store";
import type { QueryResultRow } from "pg";
import type { Link } from "../link.ts";
import { MINE } from "../tenant.ts";
import { isMissing } from "./refusal.ts";
import { APPROVAL, type ApprovalJson, NOW, approvalOf, hashOf, leafAt } from "./shapes.ts";

type Stored = Omit<StoredDelegation, "request" | "hash" | "index"> & {
  readonly request: string | null;
  readonly idx: number;
  readonly hash: string;
};

/** Reads what is committed, on connections that do not wait for those who write. */
export class Reads {
  readonly #links: readonly Link[];
  #next = 0;

  constructor(links: readonly Link[]) {
    this.#links = links;
  }

  async principal(issuer: string, subject: string): Promise<PrincipalRow | undefined> {
    const [row] = await this.#rows<PrincipalRow & QueryResultRow>(
      `SELECT pseudonym, key FROM behest_principal WHERE ${MINE} AND issuer = $1 AND subject = $2`,
      [issuer, subject],
    );
    return row && { pseudonym: row.pseudonym, key: row.key };
  }

  async subject(pseudonym: string): Promise<Omit<Principal, "pseudonym"> | undefined> {
    const [row] = await this.#rows<Omit<Principal, "pseudonym"> & QueryResultRow>(
      `SELECT issuer, subject, key FROM behest_principal WHERE ${MINE} AND pseudonym = $1`,
      [pseudonym],
    );
    return row && { issuer: row.issuer, subject: row.subject, key: row.key };
  }

  named(subject: string): ReturnType<Engine["named"]> {
    return this.#rows(`SELECT pseudonym, issuer FROM behest_principal WHERE ${MINE} AND subject = $1`, [
      subject,
    ]);
  }

  /** Of one jti a spawned one first: only its jti is nobody else's. */
  async delegation(by: "jti" | "leaf", value: string): Promise<StoredDelegation | undefined> {
    const [row] = await this.#rows<Stored>(
      `SELECT t.leaf, t.jti, t.principal, t.request, t.sealed, t.idx, ${leafAt("t.idx")} AS hash
        FROM behest_delegation t WHERE t.${MINE} AND t.${by} = $1 ORDER BY t.request IS NULL, t.idx LIMIT 1`,
      [value],
    );
    if (!row) return undefined;
    const { leaf, jti, principal, request, sealed, idx, hash } = row;
    const known = { leaf, jti, principal, sealed, index: idx, hash: hashOf(hash) };
    return { ...known, ...(request !== null && { request }) };
  }

  delegations(): Promise<readonly DelegationRow[]> {
    return this.#rows(
      `SELECT leaf, jti, principal, sealed FROM behest_delegation WHERE ${MINE} ORDER BY idx`,
    );
  }

  async recall(run: string, key: string): ReturnType<Engine["recall"]> {
    const [row] = await this.#rows<{ sealed: Buffer; idx: number; hash: string }>(
      `SELECT t.sealed, t.idx, ${leafAt("t.idx")} AS hash
        FROM behest_journal t WHERE t.${MINE} AND t.run = $1 AND t.key = $2 AND t.until > ${NOW}`,
      [run, key],
    );
    return row && { sealed: row.sealed, index: row.idx, hash: hashOf(row.hash) };
  }

  async recallable(before: number): Promise<readonly number[]> {
    const rows = await this.#rows<{ idx: number }>(
      `SELECT idx FROM behest_journal WHERE ${MINE} AND until > ${NOW} AND idx < $1`,
      [before],
    );
    return rows.map(({ idx }) => idx);
  }

  async approval(id: string): Promise<StoredApproval | undefined> {
    return (await this.#approvals("a.id = $1", [id]))[0];
  }

  approvals(run: string | undefined): Promise<readonly StoredApproval[]> {
    return run === undefined
      ? this.#approvals(`a.kind = 'ask' AND NOT a.spent AND a.expires > ${NOW}`, [])
      : this.#approvals("a.run = $1", [run]);
  }

  ahead({ principal, since }: Parameters<Engine["ahead"]>[0]): Promise<readonly StoredApproval[]> {
    const mine = "a.kind <> 'ask' AND a.expires > $1 AND a.principal = coalesce($2, a.principal)";
    return this.#approvals(mine, [since, principal ?? null]);
  }

  async hasBegun(action: string): Promise<boolean> {
    const rows = await this.#rows(`SELECT FROM behest_action WHERE ${MINE} AND id = $1`, [action]);
    return rows.length > 0;
  }

  async held(counters: readonly string[]): Promise<readonly string[]> {
    const rows = await this.#rows<{ id: string; held: string }>(
      `SELECT id, held FROM behest_counter WHERE ${MINE} AND id = ANY($1::text[])`,
      [counters],
    );
    const known = new Map(rows.map(({ id, held }) => [id, held]));
    return counters.map((counter) => known.get(counter) ?? "0");
  }

  async recorded(prefix: string): Promise<readonly number[]> {
    // Up to the first text that does not begin so.
    const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    const rows = await this.#rows<{ idx: number }>(
      `SELECT idx FROM behest_once WHERE ${MINE} ${prefix === "" ? "" : "AND key >= $1 AND key < $2"} ORDER BY key`,
      prefix === "" ? [] : [prefix, end],
    );
    return rows.map(({ idx }) => idx);
  }

  coverage(): Promise<readonly SeenTool[]> {
    return this.#rows(`SELECT tool, kind, declared, at FROM behest_seen WHERE ${MINE} ORDER BY tool, kind`);
  }

  async content(index: number): Promise<readonly Content[]> {
    const rows = await this.#rows<Content & { until: number | null }>(
      `SELECT id, principal, sealed, until FROM behest_content
        WHERE ${MINE} AND idx = $1 AND (until IS NULL OR until > ${NOW}) ORDER BY place`,
      [index],
    );
    return rows.map(({ until, ...rest }) => ({ ...rest, ...(until !== null && { until }) }));
  }

  async entries(from: number, limit: number): Promise<readonly string[]> {
    const rows = await this.#rows<{ jws: string }>(
      `SELECT jws FROM behest_entry WHERE ${MINE} AND idx >= $1 ORDER BY idx LIMIT $2`,
      [from, limit],
    );
    return rows.map(({ jws }) => jws);
  }

  async subtrees(places: readonly Subtree[]): Promise<readonly Uint8Array[]> {
    const last = places.map(({ level, index }) => (index + 1) * 2 ** level - 1);
    const rows = await this.#rows<{ hash: Uint8Array | null }>(
      `SELECT (SELECT substring(nodes FROM n.level * 32 + 1 FOR 32) FROM behest_entry WHERE ${MINE} AND idx = n.idx) AS hash
        FROM unnest($1::bigint[], $2::int[]) WITH ORDINALITY AS n (idx, level, place) ORDER BY n.place`,
      [last, places.map(({ level }) => level)],
    );
    return rows.map(({ hash }, i) => {
      if (hash?.length !== 32) throw damaged(last[i]!);
      return hash;
    });
  }

  async cosigned(): Promise<string | undefined> {
    const [row] = await this.#rows<{ note: string }>(`SELECT note FROM behest_cosigned WHERE ${MINE}`);
    return row?.note;
  }

  async document(digest: string): Promise<string | undefined> {
    const [row] = await this.#rows<{ text: string }>(
      `SELECT text FROM behest_document WHERE ${MINE} AND digest = $1`,
      [digest],
    );
    return row?.text;
  }

  async cut(digest: string): Promise<string | undefined> {
    const [row] = await this.#rows<{ jws: string | null }>(
      `SELECT jws FROM behest_cut WHERE ${MINE} AND digest = $1`,
      [digest],
    );
    return row?.jws ?? undefined;
  }

  async checkpoint(): Promise<string> {
    const [row] = await this.#rows<{ checkpoint: string }>(
      `SELECT checkpoint FROM behest_head WHERE ${MINE}`,
    );
    if (!row) throw missing();
    return row.checkpoint;
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }

  async #approvals(where: string, values: unknown[]): Promise<readonly StoredApproval[]> {
    const rows = await this.#rows<{ row: ApprovalJson }>(
      `SELECT ${APPROVAL} AS row FROM behest_approval a WHERE a.${MINE} AND ${where} ORDER BY a.idx`,
      values,
    );
    return rows.map(({ row }) => approvalOf(row));
  }

  rows<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.#rows(text, values);
  }

  /** `store_missing` where nobody has made the tables. */
  #rows<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    const link = this.#links[this.#next++ % this.#links.length]!;
    return link.run(async (client) => {
      try {
        return (await client.query(text, [...values])).rows as R[];
      } catch (error) {
        if (isMissing(error)) throw missing();
        throw error;
      }
    });
  }
}
