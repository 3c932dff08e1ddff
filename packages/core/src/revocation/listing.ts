import { parseJson, publicJwk, splitCompact, thumbprint } from "@behest/jws";
import type { CutTarget, Manifest } from "@behest/provenance";
import { openDelegation } from "../session/lineage.ts";
import { principalOf } from "../record/principal.ts";
import type { Engine } from "../store/types.ts";
import { type Admitted, admit } from "./admission.ts";
import { Cuts } from "./cuts.ts";
import { type Feed, rowsOf } from "./feed.ts";
import { type Hop, Lineage, keyOfCut } from "./keys.ts";
import { spanOf } from "./span.ts";

/** A cut that is in force. */
export interface Revocation {
  readonly target: CutTarget;
  readonly reason: string;
  /** Seconds since the epoch: when it was made. */
  readonly at: number;
  /** Roots dated up to then are concerned; absent: all. A fresh grant is dated later. */
  readonly before?: number;
  /** Seconds since the epoch: from then on it can concern nobody; absent: never. */
  readonly until?: number;
  /** RFC 7638 thumbprint of the revoker's key, and what it may cut. */
  readonly revoker: string;
  readonly scopes: readonly string[];
  /** Delegations that the log has met, that have not expired, and that it stops. */
  readonly stops: number;
}

interface Known {
  readonly lineage: Lineage;
  readonly expires: number;
}

/** In the order in which they came. `now`: seconds since the epoch. Throws `store_mismatch`, `store_failed`. */
export async function revocationsIn(
  parts: { readonly feed: Feed; readonly manifest: Manifest; readonly engine: Engine },
  now: number,
): Promise<Revocation[]> {
  const known = (await delegations(parts.engine)).filter(({ expires }) => expires > now);
  const found: Revocation[] = [];
  for await (const { jws } of rowsOf(parts.feed, now)) {
    const admitted =
      jws === undefined ? undefined : await admit(jws, parts.manifest, "before").catch(() => undefined);
    if (!admitted) continue;
    const { cut, revoker, scopes } = admitted;
    const { target, reason, at } = cut;
    const stops = known.filter(({ lineage }) => concerns(admitted, lineage)).length;
    found.push({ target, reason, at, ...spanOf(cut), revoker, scopes, stops });
  }
  return found;
}

function concerns({ cut, scopes }: Admitted, lineage: Lineage): boolean {
  return scopes.some((scope) => {
    const { words, form } = keyOfCut(cut.target, scope);
    const cuts = new Cuts();
    cuts.add(words, spanOf(cut), 0);
    return cuts.concerns(lineage.keys(form), lineage.issued);
  });
}

/** They were verified when they were stored, and are sealed since. */
async function delegations(engine: Engine): Promise<readonly Known[]> {
  const found: Known[] = [];
  for (const row of await engine.delegations()) {
    const who = await principalOf(engine, row.principal);
    if (!who) continue;
    const { chain, agent } = openDelegation(who.vault, row);
    const hops = chain.map(hopOf);
    const lineage = new Lineage(hops, who.subject, agent === undefined ? [] : [agent]);
    found.push({ lineage, expires: Math.min(...hops.map(({ exp }) => exp)) });
  }
  return found;
}

/** Nothing of it is verified here. */
export function hopOf(token: string): Hop & { readonly exp: number } {
  const claims = parseJson(splitCompact(token).payload) as unknown as Hop & {
    readonly exp: number;
    readonly cnf: { readonly jwk: unknown };
  };
  const { jti, iss, iat, exp, agent, tenant } = claims;
  const holder = thumbprint(publicJwk(claims.cnf.jwk));
  return { jti, iss, iat, exp, holder, agent, tenant };
}
