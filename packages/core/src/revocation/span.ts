import { DEFAULT_LIMITS } from "@behest/delegation";
import type { Cut } from "@behest/provenance";

/** Seconds since the epoch; absent: without end. */
export interface CutSpan {
  /** Roots dated up to then are cut. */
  readonly before?: number;
  /** From then on none of those can still be valid. */
  readonly until?: number;
}

/**
 * A name is cut for what was issued up to the cut, and as far ahead as an issuer may date a root: a token dated ahead
 * does not survive, and fresh ones are dated later. A jti is cut for as long as its token can live, a key for ever.
 */
export function spanOf({ target, at }: Pick<Cut, "target" | "at">): CutSpan {
  if ("holder" in target) return {};
  const { maxIatSkew, maxTokenLifetime } = DEFAULT_LIMITS;
  const before = at + maxIatSkew;
  const until = before + maxTokenLifetime + 1;
  return "delegation" in target ? { until } : { before, until };
}
