import { DEFAULT_LIMITS } from "@behest/delegation";
import type { Cut } from "@behest/provenance";
import { BehestError } from "../error.ts";

/** Seconds since the epoch; absent: without end. */
export interface CutSpan {
  /** Roots dated up to then are cut. */
  readonly before?: number;
  /** From then on none of those can still be valid. */
  readonly until?: number;
}

/** Throws `revocation_refused` for a cut that can concern nobody any more. `now`: seconds since the epoch. */
export function refuseOver(cut: Cut, now: number): void {
  if (!isOver(cut, now)) return;
  const message = "revocation_refused: it is dated so far back that nothing it concerns can still be valid.";
  throw new BehestError("revocation_refused", message);
}

/** Nothing that it concerns can still be valid. `now`: seconds since the epoch. */
export function isOver(cut: Pick<Cut, "target" | "at" | "signed">, now: number): boolean {
  const { until } = spanOf(cut);
  return until !== undefined && until <= now;
}

/**
 * A name is cut for what was issued up to the cut, and as far ahead as an issuer may date a root: a token dated ahead
 * does not survive, and fresh ones are dated later. A jti is cut for as long as its token can live, a key for ever.
 */
export function spanOf({ target, at, signed }: Pick<Cut, "target" | "at" | "signed">): CutSpan {
  if ("holder" in target) return {};
  const { maxIatSkew, maxTokenLifetime } = DEFAULT_LIMITS;
  const life = maxIatSkew + maxTokenLifetime + 1;
  // Its token may have been issued at any time before the signature.
  if ("delegation" in target) return { until: signed + life };
  return { before: at + maxIatSkew, until: at + life };
}
