import { parseJson, splitCompact } from "@behest/jws";
import { type CutTarget, targetOfSubject } from "@behest/provenance";
import { type Feed, rowsOf } from "../revocation/feed.ts";

/** A cut that names somebody. */
export interface NamingCut {
  /** Seconds since the epoch: then nothing it concerns can be valid, and it is emptied. */
  readonly until: number;
}

/**
 * The cuts in force of this very principal, whoever signed them. One that is over is emptied, so it is not among them;
 * what a reason says of somebody is not looked for. `now`: seconds since the epoch.
 */
export async function cutsNaming(
  feeds: readonly Feed[],
  who: { readonly principal: string; readonly issuer: string | undefined },
  now: number,
): Promise<readonly NamingCut[]> {
  const found = new Map<string, NamingCut>();
  for (const feed of feeds)
    for await (const { jws, digest, until = Number.POSITIVE_INFINITY } of rowsOf(feed, now)) {
      const target = jws === undefined || until <= now ? undefined : targetOf(jws);
      if (!target || !("principal" in target) || target.principal !== who.principal) continue;
      if (who.issuer !== undefined && (target.issuer ?? who.issuer) !== who.issuer) continue;
      found.set(digest, { until });
    }
  return [...found.values()];
}

/** Nothing of it is verified. */
function targetOf(jws: string): CutTarget | undefined {
  try {
    const { sub_id: subject } = parseJson(splitCompact(jws).payload) as { sub_id: never };
    return targetOfSubject(subject);
  } catch {
    return undefined;
  }
}
