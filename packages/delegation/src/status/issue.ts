import { type Signer, toBase64url } from "@behest/jws";
import { type Duration, seconds } from "../duration.ts";
import { malformed, onlyMembers, text, time } from "../request.ts";
import { status as reference } from "../restrictions/status.ts";
import { signChecked } from "../token/sign.ts";
import { MAX_LIST, deflate } from "./bits.ts";

export const STATUS_LIST_TYPE = "statuslist+jwt";

export interface StatusListClaims {
  /** Exactly what the `status.uri` of delegations says. */
  readonly uri: string;
  /** How many delegations it is for: a multiple of 8, at most 8,388,608. It never shrinks. */
  readonly size: number;
  /** Indexes that hold no more, or whether one does not. */
  readonly revoked: Iterable<number> | ((index: number) => boolean);
  /** How long readers may keep it before they ask again. Default `"30s"`. */
  readonly ttl?: Duration;
  /** How long it can be believed at all. Default `"5m"`. */
  readonly expiresIn?: Duration;
  /** Where all lists of this issuer are named. */
  readonly aggregation?: string;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
}

const MEMBERS = ["uri", "size", "revoked", "ttl", "expiresIn", "aggregation", "now"];

/**
 * Signs a Token Status List (draft-ietf-oauth-status-list), one bit a delegation, with the key that issues them.
 * Throws `malformed_request`, also for a revoked index that the list has no place for.
 */
export async function statusList(claims: StatusListClaims, issuer: Signer): Promise<string> {
  onlyMembers(claims, MEMBERS);
  checkList(claims);
  const { uri, aggregation } = claims;
  const iat = time(claims.now);
  const lst = toBase64url(await deflate(bitsOf(claims)));
  const payload = {
    sub: uri,
    iat,
    exp: iat + seconds(claims.expiresIn ?? "5m"),
    ttl: seconds(claims.ttl ?? "30s"),
    status_list: {
      bits: 1,
      lst,
      ...(aggregation !== undefined && { aggregation_uri: text(aggregation, "aggregation") }),
    },
  };
  const { kid } = issuer.jwk;
  return signChecked({ typ: STATUS_LIST_TYPE, ...(kid !== undefined && { kid }) }, payload, issuer);
}

/** Throws `malformed_request`. */
export function checkList({ uri, size }: Pick<StatusListClaims, "uri" | "size">): void {
  if (!reference.read({ uri, idx: 0 })) malformed("uri", "expected an https URI without a fragment");
  checkSize(size);
}

function checkSize(size: number): void {
  if (!Number.isInteger(size) || size < 8 || size % 8 !== 0 || size > MAX_LIST * 8)
    malformed("size", `expected a multiple of 8, at most ${MAX_LIST * 8}`);
}

function bitsOf({ size, revoked }: StatusListClaims): Uint8Array<ArrayBuffer> {
  const list = new Uint8Array(size / 8);
  const mark = (index: number): void => void (list[index >> 3]! |= 1 << (index & 7));
  if (typeof revoked === "function") {
    for (let index = 0; index < size; index++) if (revoked(index)) mark(index);
    return list;
  }
  for (const index of revoked) {
    if (!Number.isInteger(index) || index < 0 || index >= size)
      malformed("revoked", "an index is none of this list");
    mark(index);
  }
  return list;
}

/**
 * An index that is free, any with the same chance: neighbours and order tell nothing of whom it is for. The issuer
 * keeps which are taken, until what they were given to has expired. Throws `malformed_request` when all are.
 */
export function freeIndex(size: number, isTaken: (index: number) => boolean): number {
  checkSize(size);
  const free: number[] = [];
  for (let index = 0; index < size; index++) if (!isTaken(index)) free.push(index);
  const [random] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return free[random! % free.length] ?? malformed("size", "every index is taken: begin another list");
}
