import { fromUtf8, plainBody } from "@behest/jws";
import { type Anchor, mayAssert } from "../keys/anchor.ts";
import { type KeySetFetch, globalFetch } from "../keys/key-set.ts";
import type { StatusReference } from "../restrictions/status.ts";
import type { StatusRoot } from "../verify.ts";
import { statusAt } from "./bits.ts";
import { type StatusList, readStatusList } from "./read.ts";

/** `unknown` is not valid: no list could be had, it is not in order, has no such index, or says what nobody defined here. */
export type Status = "valid" | "revoked" | "unknown";

export interface StatusOptions {
  /** Whose lists are believed: of the root's own issuer, by keys that may assert its principal and tenant. */
  readonly issuers: readonly Anchor[];
  /** How lists are fetched. Default: the global `fetch`. */
  readonly fetch?: KeySetFetch;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: () => number;
}

/** Bytes of a token: those of an incompressible list, and some. */
const MAX_TOKEN = 2_097_152;
/** ms for an answer. */
const TIMEOUT = 5_000;
/** Seconds that a list is kept which does not say for how long, and those that any is kept at most. */
const TTL = { absent: 30, most: 300 };
/** ms between requests for a list that could not be had. */
const BACK_OFF = 1_000;
/** Lists that are kept. */
const MAX_LISTS = 64;

/**
 * Looks statuses up in Token Status Lists (draft-ietf-oauth-status-list). A list is fetched over https when it is first
 * needed and kept for its `ttl`, counted from when it was asked for, at most for five minutes and never beyond its
 * `exp`. An answer is a plain 200, without redirects, within 5 s, of at most 2 MiB and 1 MiB decompressed. 64 lists
 * are kept.
 */
export function statusReader({
  issuers,
  fetch = globalFetch,
  now = () => Math.floor(Date.now() / 1000),
}: StatusOptions): (reference: StatusReference, root: StatusRoot) => Promise<Status> {
  const lists = new Map<string, Kept>();
  return async ({ uri, idx }, { issuer, principal, tenant }) => {
    const own = issuers.filter(
      (one) => one.iss === issuer && mayAssert([one], { iss: issuer, sub: principal, tenant }),
    );
    if (own.length === 0) return "unknown";
    // Who may speak for one root of an issuer need not for another of its roots in the same list.
    const key = JSON.stringify([uri, ...own.map((one) => issuers.indexOf(one))]);
    const kept =
      lists.get(key) ??
      new Kept(async () => readStatusList(await get(fetch, uri), { uri, anchors: own, now: now() }));
    lists.delete(key);
    lists.set(key, kept);
    if (lists.size > MAX_LISTS) lists.delete(lists.keys().next().value!);
    const found = await kept.list(now);
    switch (found && statusAt(found.list, found.bits, idx)) {
      case 0:
        return "valid";
      case 1:
        return "revoked";
      default:
        return "unknown";
    }
  };
}

/** The same, as `verifyDelegation` and `verifyAction` take it: whether the status is `valid`. */
export function statusChecker(
  options: StatusOptions,
): (reference: StatusReference, root: StatusRoot) => Promise<boolean> {
  const read = statusReader(options);
  return async (reference, root) => (await read(reference, root)) === "valid";
}

async function get(fetch: KeySetFetch, uri: string): Promise<string> {
  const response = await fetch(uri, {
    method: "GET",
    headers: new Headers({ accept: "application/statuslist+jwt" }),
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT),
  });
  return fromUtf8(await plainBody(response, MAX_TOKEN));
}

/** One list, as it was last fetched. */
class Kept {
  readonly #fetch: () => Promise<StatusList>;
  #list: StatusList | undefined;
  #asked: Moment = { steady: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  #pending: Promise<void> | undefined;

  constructor(fetch: () => Promise<StatusList>) {
    this.#fetch = fetch;
  }

  /** As it holds now; undefined where that is not known. */
  async list(now: () => number): Promise<StatusList | undefined> {
    if (!this.#isFresh() && (this.#pending || !this.#isResting())) await (this.#pending ??= this.#load());
    return this.#list && now() < this.#list.exp ? this.#list : undefined;
  }

  #isFresh(): boolean {
    const { ttl = TTL.absent } = this.#list ?? {};
    return this.#list !== undefined && since(this.#asked) <= Math.min(ttl, TTL.most) * 1000;
  }

  /** It was asked for in vain a moment ago. */
  #isResting(): boolean {
    return this.#list === undefined && since(this.#asked) < BACK_OFF;
  }

  async #load(): Promise<void> {
    this.#asked = moment();
    this.#list = undefined;
    this.#list = await this.#fetch().catch(() => undefined);
    this.#pending = undefined;
  }
}

/** By the clock that never goes back, and by the one that goes on while a machine sleeps. */
interface Moment {
  readonly steady: number;
  readonly wall: number;
}

function moment(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

/** ms. */
function since({ steady, wall }: Moment): number {
  return Math.max(performance.now() - steady, Date.now() - wall);
}
