import { sha256, toBase64url } from "@behest/jws";
import { DelegationError } from "./error.ts";

/**
 * Ids of the proofs that were accepted. `add` decides: it records the id unless it is there already, as one step
 * that nothing comes between, and answers `true`. Every other answer refuses the call: it was there, or can no longer be
 * remembered; only a `Set`, which answers itself, counts as `true` too. `has` only saves work. A `Set` will do in one short-lived process; {@link replayCache} forgets and has a bound; several
 * processes need one that they share. Verifiers that share one must have the same `limits.proofWindow`.
 */
export interface Replay {
  has(jti: string): boolean | Promise<boolean>;
  /** `true` when the id is new. `until`: seconds since the epoch after which it may be forgotten. */
  add(jti: string, until: number): unknown;
}

/** Spends an id: true the first time. `until`: seconds since the epoch. */
export async function isFirst(replay: Replay, jti: string, until: number): Promise<boolean> {
  const seen = replay.has(jti);
  // A synchronous store goes from `has` to `add` without a gap in which a second call could pass.
  if ((seen instanceof Promise ? await seen : seen) !== false) return false;
  const added = await replay.add(jti, until);
  // A Set answers itself; stores have many answers for what was there before.
  return added === true || added === replay;
}

export interface ReplayCacheOptions {
  /** Ids held at once, about 150 bytes each. Default 100,000: some 1,600 permitted calls a second. */
  readonly max?: number;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: () => number;
}

/**
 * A {@link Replay} in this process's memory. It never gives up an id before its time: when it is full of such,
 * the next call is refused (`replay_cache_full`). Time only moves forwards in it: what was forgotten is too old to
 * be accepted again, whatever the clock says later.
 */
export function replayCache(options: ReplayCacheOptions = {}): Replay {
  const { max = 100_000, now = () => Date.now() / 1000 } = options;
  if (!(max >= 1)) throw new DelegationError("malformed_request", "max: expected at least 1");
  const held = new Set<string>();
  /** The same by the second in which they may go; as many as the proof window has seconds. */
  const due = new Map<number, string[]>();
  let latest = Number.NEGATIVE_INFINITY;
  let swept = latest;

  const forget = (): void => {
    const time = now();
    if (time > latest) latest = time;
    // Once a second is often enough: then each id is looked at once, when it goes.
    if (!(Math.floor(latest) > swept)) return;
    swept = Math.floor(latest);
    for (const [second, ids] of due) {
      if (!(second < latest)) continue;
      for (const id of ids) held.delete(id);
      due.delete(second);
    }
  };

  return {
    has: (jti) => held.has(idOf(jti)),
    add(jti, until) {
      forget();
      const id = idOf(jti);
      if (held.has(id) || !(until >= latest)) return false;
      if (held.size >= max)
        throw new DelegationError(
          "replay_cache_full",
          "7i: proof: no more proofs can be remembered now. Try again later, or allow more (max).",
          { step: "7i" },
        );
      const second = Math.ceil(until);
      const ids = due.get(second);
      if (ids) ids.push(id);
      else due.set(second, [id]);
      held.add(id);
      return true;
    },
  };
}

/** Holders choose their ids, up to the size of a proof. */
function idOf(jti: string): string {
  return toBase64url(sha256(jti));
}
