import { toBase64url } from "@behest/jws";
import type { StoredApproval } from "@behest/core/store";
import { types } from "pg";
import { MINE } from "../tenant.ts";

/** SQL: the leaf hash of the entry at an index, as JSON has bytes. */
export function leafAt(index: string): string {
  return `(SELECT substring(e.nodes FROM 1 FOR 32)::text FROM behest_entry e WHERE e.${MINE} AND e.idx = ${index})`;
}

/** ms since the epoch, by the server's clock. */
export const CLOCK = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** The store's time: the latest that a transaction has seen, so that a clock set back revives nothing. */
export const NOW: string = `greatest(${CLOCK}, (SELECT at FROM behest_head WHERE ${MINE}))`;

/** Types, as pg_type numbers them. */
const INT8 = 20;
const BYTEA = 17;

/** Indexes and times are exact as JavaScript has them. */
export function parserOf(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === INT8) return Number;
  if (oid === BYTEA) return bytesOf;
  return types.getTypeParser(oid, format as "text") as (value: string) => unknown;
}

/** As PostgreSQL writes bytes: `\x` and hex. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}

export function hashOf(text: string): string {
  return toBase64url(bytesOf(text));
}

/** A leaf hash in JSON. */
interface At {
  readonly index: number;
  readonly hash: string;
}

export interface ApprovalJson extends Omit<StoredApproval, "sealed" | "asked" | "decisions" | "run"> {
  readonly run: string | null;
  readonly sealed: string;
  readonly asked: At;
  readonly decisions: readonly At[] | null;
}

/** SQL: a row of `behest_approval a` as {@link ApprovalJson}. */
export const APPROVAL: string = `json_build_object('id', a.id, 'kind', a.kind, 'args', a.args, 'principal', a.principal,
  'run', a.run, 'sealed', a.sealed::text, 'expires', a.expires, 'spent', a.spent,
  'asked', json_build_object('index', a.idx, 'hash', ${leafAt("a.idx")}),
  'decisions', (SELECT json_agg(json_build_object('index', d.idx, 'hash', ${leafAt("d.idx")}) ORDER BY d.idx)
    FROM behest_decision d WHERE d.${MINE} AND d.approval = a.id))`;

export function approvalOf({ run, sealed, asked, decisions, ...rest }: ApprovalJson): StoredApproval {
  return {
    ...rest,
    ...(run !== null && { run }),
    sealed: bytesOf(sealed),
    asked: { index: asked.index, hash: hashOf(asked.hash) },
    decisions: (decisions ?? []).map(({ index, hash }) => ({ index, hash: hashOf(hash) })),
  };
}
