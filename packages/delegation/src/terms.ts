import { type Json, canonical } from "@behest/jws";
import { placesIn, widenings } from "./constraints/compare.ts";
import type { AatTools } from "./constraints/constraint.ts";
import { type Duration, seconds } from "./duration.ts";
import { DelegationError, type Wider } from "./error.ts";
import type { Hop } from "./token/hop.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { type Explained, explainTools, meetTools } from "./constraints/meet-tools.ts";
import { rewrapTools } from "./constraints/narrow.ts";
import { malformed } from "./request.ts";
import { type RestrictionRequest, readRequest } from "./restrictions/request.ts";
import { type Restrictions, looser, meetRestrictions, overlay } from "./restrictions/restrictions.ts";
import { readTools } from "./constraints/tools.ts";

/** What a child is to permit, until when and how deep. */
export interface TermsRequest extends RestrictionRequest {
  readonly tools: AatTools;
  /** Default: until the parent expires. */
  readonly expiresIn?: Duration;
  /** Absolute depth down to which it may be handed on. Default: the parent's. */
  readonly maxDepth?: number;
}

/** What a child's token says of it. */
export interface Terms {
  readonly tools: AatTools;
  readonly restrictions: Restrictions | undefined;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
  readonly maxDepth: number;
}

/**
 * As asked for, each constraint in a form that the draft's table accepts, and where that is wider than the parent.
 * Throws `depth_exceeded`, `malformed_request`, `malformed_grant`.
 */
export function askedTerms(
  parent: Hop,
  request: TermsRequest,
  now: number,
): { readonly terms: Terms; readonly wider: readonly Wider[] } {
  const { claims, tools: held = {} } = parent;
  if (claims.depth >= claims.maxDepth)
    throw new DelegationError(
      "depth_exceeded",
      `maxDepth: the parent may not be handed on (depth ${claims.depth})`,
    );
  const { maxDepth = claims.maxDepth, expiresIn } = request;
  if (!Number.isInteger(maxDepth) || maxDepth <= claims.depth)
    malformed("maxDepth", `expected an integer of at least ${claims.depth + 1}`);
  const iat = Math.max(now, claims.iat);
  const exp = expiresIn === undefined ? claims.exp : iat + seconds(expiresIn);
  const tools = rewrapTools(held, readTools(request.tools, DEFAULT_LIMITS));
  const restrictions = overlay(claims.restrictions, readRequest(request));
  const wider = [...placesIn(widenings(held, tools)), ...looser(claims.restrictions, restrictions)];
  if (maxDepth > claims.maxDepth)
    wider.push({ path: "maxDepth", parent: String(claims.maxDepth), child: String(maxDepth) });
  if (exp > claims.exp)
    wider.push({ path: "exp", parent: `in ${claims.exp - iat} s`, child: `in ${exp - iat} s` });
  return { terms: { tools, restrictions, iat, exp, maxDepth }, wider };
}

/** What is left of it within the parent. Throws `wider_than_parent` where nothing is. */
export function narrowedTerms(parent: Hop, request: TermsRequest, now: number): Terms {
  const { terms, wider } = askedTerms(parent, request, now);
  if (wider.length === 0) return terms;
  const { claims, tools: held = {} } = parent;
  const tools = meetTools(held, readTools(request.tools, DEFAULT_LIMITS));
  const met = meetRestrictions(claims.restrictions, readRequest(request));
  if (Object.keys(tools).length === 0 || "apart" in met)
    throw new DelegationError(
      "wider_than_parent",
      `${"apart" in met ? met.apart : "tools"}: nothing of what is asked for lies within the parent.`,
      { wider },
    );
  return {
    tools,
    restrictions: met.restrictions,
    iat: terms.iat,
    exp: Math.min(terms.exp, claims.exp),
    maxDepth: Math.min(terms.maxDepth, claims.maxDepth),
  };
}

/** Tools first, then what else was asked for. */
export function explainTerms(parent: Hop, request: TermsRequest, now: number): readonly Explained[] {
  const { wider } = askedTerms(parent, request, now);
  const { claims, tools: held = {} } = parent;
  const restricted = readRequest(request) ?? {};
  const wanted: { readonly [path: string]: Json } = {
    ...restricted,
    ...(request.expiresIn !== undefined && { exp: request.expiresIn }),
    ...(request.maxDepth !== undefined && { maxDepth: request.maxDepth }),
  };
  const rest = Object.entries(wanted).map(([path, asked]): Explained => {
    const found = wider.find((place) => place.path === path);
    const why = "within the parent";
    if (!found) return { path, result: "kept", parent: "no tighter", child: canonical(asked), why };
    // The earlier end and the lower depth always hold; restrictions may have nothing in common.
    const met = Object.hasOwn(restricted, path)
      ? meetRestrictions(claims.restrictions, { [path]: asked })
      : {};
    return "apart" in met
      ? { ...found, result: "refused", why: "nothing in common" }
      : { ...found, result: "narrowed", why: "the parent's own is narrower" };
  });
  return [...explainTools(held, readTools(request.tools, DEFAULT_LIMITS)), ...rest];
}
