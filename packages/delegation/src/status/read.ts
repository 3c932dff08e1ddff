import {
  type Compact,
  type Json,
  checkHeader,
  fromBase64url,
  parseJson,
  splitCompact,
  utf8,
  verify,
} from "@behest/jws";
import { type Anchor, signedByOne } from "../keys/anchor.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { isInteger } from "../token/number.ts";
import { isObject } from "../token/token.ts";
import { type Bits, inflate } from "./bits.ts";
import { STATUS_LIST_TYPE } from "./issue.ts";

/** A list whose signature and claims hold. */
export interface StatusList {
  readonly bits: Bits;
  readonly list: Uint8Array;
  /** Seconds since the epoch. */
  readonly exp: number;
  /** Seconds that it may be kept, where it says so. */
  readonly ttl: number | undefined;
}

interface Expected {
  /** What its `sub` must be. */
  readonly uri: string;
  /** One of whose keys must have signed it. */
  readonly anchors: readonly Anchor[];
  /** Seconds since the epoch. */
  readonly now: number;
}

/**
 * Verifies a list as the draft's section 8.3 says. Stricter in one thing: a list without `exp` is refused, because it
 * would be true for ever. Nothing is decompressed before the signature holds. Rejects with whatever is wrong.
 */
export async function readStatusList(token: string, { uri, anchors, now }: Expected): Promise<StatusList> {
  const parts: Compact = splitCompact(token);
  checkHeader(parts.header, { typ: STATUS_LIST_TYPE });
  const input = utf8(parts.input);
  if (!(await signedByOne(anchors, parts.header["kid"], (key) => verify(key, input, parts.signature))))
    throw new TypeError("no key of the issuer signed the list");
  const claims = parseJson(parts.payload);
  if (!isObject(claims)) throw new TypeError("claims are an object");
  const { sub, iat, exp, ttl, status_list: list } = claims as { readonly [name: string]: Json | undefined };
  if (sub !== uri) throw new TypeError("it is another list");
  if (!isInteger(iat) || !isInteger(exp)) throw new TypeError("iat or exp is no date");
  if (!(iat <= now + DEFAULT_LIMITS.maxIatSkew && iat < exp && now < exp))
    throw new TypeError("it is not valid now");
  if (ttl !== undefined && !(typeof ttl === "number" && ttl > 0)) throw new TypeError("ttl is not positive");
  if (!isObject(list)) throw new TypeError("it has no list");
  const { bits, lst } = list;
  if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) throw new TypeError("bits is not 1, 2, 4 or 8");
  if (typeof lst !== "string") throw new TypeError("it has no list");
  return { bits, list: await inflate(fromBase64url(lst)), exp, ttl };
}
