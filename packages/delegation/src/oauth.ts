import { type Json, type PublicJwk, type Signer, sha256, thumbprint, toBase64url } from "@behest/jws";
import { type AccessToken, type AuthorizationServer, readAccessToken } from "./access-token.ts";
import { placesIn, widenings } from "./constraints/compare.ts";
import type { AatTools } from "./constraints/constraint.ts";
import type { Delegation } from "./delegation.ts";
import { type Duration, seconds } from "./duration.ts";
import { DelegationError, type Wider } from "./error.ts";
import { GRANT_TYPE } from "./token/hop.ts";
import { issueDelegation } from "./issue.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { rewrapTools } from "./constraints/narrow.ts";
import { settle } from "./token/number.ts";
import { boundKey, onlyMembers, text, time } from "./request.ts";
import { isObject } from "./token/token.ts";
import { areTools, readTools } from "./constraints/tools.ts";

export type { AccessTokenKey, AuthorizationServer } from "./access-token.ts";
export {
  type ActorTokenOptions,
  type ActorTokenRequest,
  type VerifiedActor,
  signActorToken,
  verifyActorToken,
} from "./actor-token.ts";

export interface FromAccessToken {
  /** Whose access tokens are accepted. */
  readonly authorizationServer: AuthorizationServer;
  /** What the token's `aud` must contain: the resource that issues delegations. */
  readonly audience: string;
  /** The key the root is bound to; a token that is bound itself (`cnf.jkt`) must be bound to the same. */
  readonly holder: PublicJwk;
  /** Absolute URI; what verifiers know the issuer by. One for each authorization server: subjects are its own. */
  readonly issuer: string;
  /** Default: `oauth:` and the token's `jti`, by which the authorization server knows what was consented to. */
  readonly task?: string;
  /** Default: all that was consented to. */
  readonly tools?: AatTools;
  /** Default: until the token expires, at most 90 days. */
  readonly expiresIn?: Duration;
  /** As for `issueDelegation`. */
  readonly maxDepth?: number;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
}

const MEMBERS = [
  "authorizationServer",
  "audience",
  "holder",
  "issuer",
  "task",
  "tools",
  "expiresIn",
  "maxDepth",
  "now",
];

/**
 * Signs a root from a JWT access token (RFC 9068) whose `authorization_details` (RFC 9396) have one entry of
 * type `attenuating_agent_token`: what the person consented to at the authorization server, or less. The root
 * says consent rung `oauth`, with the token's hash as evidence; its agent is the token's client. The token
 * itself is not in it. A token that is not bound to a key is anybody's who has it: authenticate who presents
 * one. Throws `access_token_refused`, `access_token_expired`, `issuer_unreachable`, `holder_mismatch`,
 * `malformed_grant`, `wider_than_parent`, `malformed_request`.
 */
export async function issueFromAccessToken(
  accessToken: string,
  request: FromAccessToken,
  issuer: Signer,
): Promise<Delegation> {
  onlyMembers(request, MEMBERS);
  const now = time(request.now);
  const holder = boundKey(request.holder);
  const audience = text(request.audience, "audience");
  const token = await readAccessToken(accessToken, { server: request.authorizationServer, audience, now });
  if (token.bound !== undefined && token.bound !== thumbprint(holder))
    throw new DelegationError("holder_mismatch", "holder: the access token is bound to another key");
  const consented = consentedTools(token.details);
  const tools =
    request.tools === undefined
      ? consented
      : rewrapTools(consented, readTools(request.tools, DEFAULT_LIMITS));
  const left = token.exp - now;
  const lifetime =
    request.expiresIn === undefined
      ? Math.min(left, DEFAULT_LIMITS.maxTokenLifetime)
      : seconds(request.expiresIn);
  const wider: Wider[] = [...placesIn(widenings(consented, tools))];
  if (lifetime > left) wider.push({ path: "exp", parent: `in ${left} s`, child: `in ${lifetime} s` });
  if (wider.length > 0) {
    const paths = wider.map(({ path }) => path).join(", ");
    throw new DelegationError("wider_than_parent", `${paths}: more than was consented to. Ask for less.`, {
      wider,
    });
  }
  return issueDelegation(
    {
      issuer: request.issuer,
      holder,
      principal: token.sub,
      task: request.task ?? `oauth:${token.jti}`,
      agent: token.client,
      consent: { rung: "oauth", evidence: toBase64url(sha256(accessToken)) },
      tools,
      expiresIn: lifetime,
      ...(request.maxDepth !== undefined && { maxDepth: request.maxDepth }),
      now,
    },
    issuer,
  );
}

/** Exactly one entry of our type, and nothing beside its tools: a restriction that is ignored is a hole. */
function consentedTools(details: AccessToken["details"]): AatTools {
  const entries = details.filter((entry) => isObject(entry) && entry["type"] === GRANT_TYPE);
  const [entry] = entries as readonly { readonly [name: string]: Json }[];
  if (entries.length !== 1 || !entry) return malformed(`expected exactly one entry of type ${GRANT_TYPE}`);
  if (Object.keys(entry).some((name) => name !== "type" && name !== "tools"))
    return malformed("an entry of this type has a member that is not understood");
  const tools = settle(entry["tools"] ?? null);
  if (!areTools(tools)) return malformed("tools is not an object of objects, or a number is not exact");
  return readTools(tools, DEFAULT_LIMITS);
}

function malformed(what: string): never {
  throw new DelegationError("malformed_grant", `authorization_details: ${what}`);
}
