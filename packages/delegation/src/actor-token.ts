import {
  type Compact,
  type Json,
  checkHeader,
  parseJson,
  publicKey,
  signCompact,
  splitCompact,
  thumbprint,
  utf8,
  verify,
} from "@behest/jws";
import { type Actor, toActClaim } from "./agent/act.ts";
import { type DelegationLike, parseDelegation } from "./delegation.ts";
import { type DelegationCode, DelegationError } from "./error.ts";
import type { Holder } from "./keys/holder.ts";
import { type Replay, isFirst } from "./replay.ts";
import { onlyMembers, text, time } from "./request.ts";
import { holderKey } from "./token/hop.ts";
import { THUMBPRINT_URI, isObject, isText, openToken } from "./token/token.ts";
import { uuidv7 } from "./token/uuid.ts";
import { type VerifiedDelegation, type VerifyOptions, clockOf, verifyDelegation } from "./verify.ts";

const TYP = "behest-actor+jwt";

/** Seconds between `iat` and `exp`: as long as a request takes. */
const LIFETIME = 60;

export interface ActorTokenRequest {
  readonly delegation: DelegationLike;
  /** What the token that is asked for will be used by. */
  readonly tool: string;
  /** URL of the token endpoint that it is for. */
  readonly endpoint: string;
  /** Who will present it: the client's id at that authorization server. */
  readonly client: string;
  /** Default: a new UUIDv7. */
  readonly jti?: string;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
}

/**
 * The leaf's holder says, to one authorization server, through one client, once, and for a minute, that it acts under
 * this chain: an `actor_token` for RFC 8693, of the type `urn:ietf:params:oauth:token-type:jwt`. A compact JWS, `typ`
 * `behest-actor+jwt`, claims `{iss, sub: thumbprint URI of its key, aud: endpoint, client_id, tool, chain, jti, iat,
 * exp}`. Throws `malformed_delegation`, `malformed_request`, `holder_mismatch`.
 */
export async function signActorToken(request: ActorTokenRequest, holder: Holder): Promise<string> {
  onlyMembers(request, ["delegation", "tool", "endpoint", "client", "jti", "now"]);
  const chain = parseDelegation(request.delegation);
  const leaf = openToken(chain.at(-1) ?? "")?.payload?.value;
  if (!isObject(leaf))
    throw new DelegationError("malformed_delegation", "delegation: the leaf is not a token");
  const self = thumbprint(holder.jwk);
  if (self !== thumbprint(holderKey(leaf, "7b", chain.length - 1)))
    throw new DelegationError("holder_mismatch", "holder: the delegation is bound to another key");
  const iat = time(request.now);
  const payload = {
    iss: THUMBPRINT_URI + self,
    sub: THUMBPRINT_URI + self,
    aud: text(request.endpoint, "endpoint"),
    client_id: text(request.client, "client"),
    tool: text(request.tool, "tool"),
    chain,
    jti: request.jti === undefined ? uuidv7() : text(request.jti, "jti"),
    iat,
    exp: iat + LIFETIME,
  };
  return signCompact({ typ: TYP }, payload, holder);
}

/** `audience`: what an `aud` in the chain itself must name, as for `verifyDelegation`. */
export interface ActorTokenOptions extends VerifyOptions {
  /** The URL that it was presented to. */
  readonly endpoint: string;
  /** Who presented it, as that client has authenticated itself. */
  readonly client: string;
  /** Ids of those that were accepted: none is accepted twice. */
  readonly replay: Replay;
}

export interface VerifiedActor {
  /** The chain; the person is its `principal`. */
  readonly delegation: VerifiedDelegation;
  /** The chain's first token: a `subject_token` that is this one names the principal and nobody else. */
  readonly root: string;
  readonly tool: string;
  readonly jti: string;
  /** For the token to be issued (RFC 8693, 4.1): the leaf's agent outermost. */
  readonly act: Actor;
}

/**
 * The authorization server's side: verifies the chain under its issuers, that the leaf's holder signed, that it did so
 * for this endpoint and for this client, that the leaf names the tool, and that it comes for the first time. Whether
 * the `subject_token` is of the same person is for the caller to compare. Throws `actor_token_refused`,
 * `actor_token_expired`, `actor_token_replayed`, `header_refused`, `signature_invalid`, `audience_refused`,
 * `tool_not_granted`, and what `verifyDelegation` does.
 */
export async function verifyActorToken(jws: string, options: ActorTokenOptions): Promise<VerifiedActor> {
  const { now, limits } = clockOf(options);
  // Base64url inside base64url.
  if (typeof jws !== "string" || !(jws.length <= 2 * limits.maxChainSize))
    return refuse("not a text of bounded size");
  const token = opened(jws);
  const { chain, tool, jti, iat, exp, aud, client_id: client, iss, sub } = claimsOf(token);
  const isChain = Array.isArray(chain) && chain.every((one) => typeof one === "string");
  if (!isChain || !isText(tool) || !isText(jti) || !isText(iss) || iss !== sub)
    return refuse("a claim is missing or of another type");
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return refuse("iat or exp is not a date");
  const tokens = chain as readonly string[];
  const delegation = await verifyDelegation(tokens, options);
  const { leaf } = delegation;
  if (!(await verify(publicKey(leaf.jwk), utf8(token.input), token.signature)))
    return refuse("the leaf's holder did not sign it", "signature_invalid");
  if (iss !== THUMBPRINT_URI + leaf.holder) return refuse("iss is another key's");
  if (aud !== options.endpoint) return refuse("it is for another endpoint", "audience_refused");
  if (client !== options.client) return refuse("it is another client's");
  const [from, until] = [iat as number, exp as number];
  if (!(now < until)) return refuse("expired", "actor_token_expired");
  if (!(from <= now + limits.maxIatSkew && from < until && until <= from + LIFETIME))
    return refuse("iat and exp contradict each other or the clock");
  if (!Object.hasOwn(delegation.tools, tool))
    return refuse("its chain does not name the tool", "tool_not_granted");
  // Last: an id is spent only by what is accepted.
  if (!(await isFirst(options.replay, `${leaf.holder} ${jti}`, until)))
    return refuse("it was used before, or is too old to tell", "actor_token_replayed");
  return { delegation, root: tokens[0]!, tool, jti, act: toActClaim(delegation).act };
}

function opened(jws: string): Compact {
  let token: Compact;
  try {
    token = splitCompact(jws);
  } catch {
    return refuse("not a compact JWS");
  }
  try {
    checkHeader(token.header, { typ: TYP });
  } catch (cause) {
    throw new DelegationError("header_refused", "actor token: alg, typ or crit is not acceptable", { cause });
  }
  return token;
}

/** Not verified yet: the key is the leaf's, and the chain is in here. */
function claimsOf({ payload }: Compact): { readonly [name: string]: Json } {
  try {
    const claims = parseJson(payload);
    if (isObject(claims)) return claims;
  } catch {
    // Refused below: there is nothing more to say of it.
  }
  return refuse("its claims are not a JSON object with distinct names");
}

function refuse(what: string, code: DelegationCode = "actor_token_refused"): never {
  throw new DelegationError(code, `actor token: ${what}`);
}
