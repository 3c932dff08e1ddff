import { signActorToken } from "@behest/delegation/oauth";
import { type Json, parseJson, sha256Text, splitCompact } from "@behest/jws";
import {
  type ClientAuth,
  ClientSecretBasic,
  PrivateKeyJwt,
  allowInsecureRequests,
  customFetch,
  genericTokenEndpointRequest,
  processGenericTokenEndpointResponse,
} from "oauth4webapi";
import type { Credentials } from "../deployment.ts";
import { BehestError } from "../error.ts";
import { liveOf } from "../session/session.ts";
import type { Session } from "../types.ts";
import { boundedFetch, endpointOf } from "./endpoint.ts";

/** A client of the authorization server: it authenticates with `client_secret_basic` or `private_key_jwt`. */
export type ExchangeClient = { readonly id: string } & (
  | { readonly secret: string; readonly key?: never }
  | { readonly key: Parameters<typeof PrivateKeyJwt>[0]; readonly secret?: never }
);

/** What a tool's token is for (RFC 8693, 2.1, and RFC 8707). */
export interface ExchangeTarget {
  readonly audience?: string;
  readonly resource?: string;
  readonly scope?: string;
}

export interface SubjectToken {
  readonly token: string;
  readonly type: "access_token" | "id_token" | "jwt";
}

export interface TokenExchange {
  /** Of its metadata (RFC 8414) these two. The endpoint's is https; http on this machine alone. */
  readonly server: { readonly issuer: string; readonly token_endpoint: string };
  readonly client: ExchangeClient;
  /** The person's own token; default, and where there is none: the root delegation, a JWT that names the principal. */
  readonly subject?: (session: Session) => SubjectToken | undefined | Promise<SubjectToken | undefined>;
  /** Tools that get a token; others get none. */
  readonly tools: { readonly [tool: string]: ExchangeTarget };
}

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const TYPE = "urn:ietf:params:oauth:token-type:";

/** ms */
const TIMEOUT = 10_000;

/**
 * Credentials by token exchange (RFC 8693), one for each attempt: an access token of the person, with the chain as its
 * actor, which `verifyActorToken` of `@behest/delegation/oauth` verifies at the server. In the record it is called by
 * its `jti` where it is a JWT that has one, else by a part of its SHA-256. Nothing is cached, so that a token leads
 * back to one action. Throws `config_invalid` at once; what it returns rejects with `credential_failed` and says nothing more.
 */
export function tokenExchange({ server, client, subject, tools }: TokenExchange): Credentials {
  const endpoint = endpointOf(server.token_endpoint);
  const as = { issuer: server.issuer, token_endpoint: endpoint.href };
  const authentication = authenticationOf(client);
  const by = { client_id: client.id };

  const exchange = async (tool: string, session: Session, target: ExchangeTarget): Promise<string> => {
    const live = liveOf(session);
    if (!live?.parts.delegated) throw new TypeError("no chain stands behind this session");
    const { chain, holder } = live.parts.delegated;
    const now = Math.floor(live.deployment.clock() / 1000);
    const request = { delegation: chain, tool, endpoint: endpoint.href, client: client.id, now };
    const actor = await signActorToken(request, holder);
    const { token, type } = (await subject?.(session)) ?? { token: chain[0]!, type: "jwt" };
    const { audience, resource, scope } = target;
    const parameters = {
      requested_token_type: `${TYPE}access_token`,
      subject_token: token,
      subject_token_type: TYPE + type,
      actor_token: actor,
      actor_token_type: `${TYPE}jwt`,
      ...(audience !== undefined && { audience }),
      ...(resource !== undefined && { resource }),
      ...(scope !== undefined && { scope }),
    };
    const response = await genericTokenEndpointRequest(as, by, authentication, GRANT, parameters, {
      signal: AbortSignal.any([session.signal, AbortSignal.timeout(TIMEOUT)]),
      [customFetch]: (url, init) => boundedFetch(url, init as RequestInit),
      [allowInsecureRequests]: endpoint.local,
    });
    return issued(await processGenericTokenEndpointResponse(as, by, response));
  };

  return async (tool, session) => {
    const target = Object.hasOwn(tools, tool) ? tools[tool] : undefined;
    if (!target) return undefined;
    try {
      const value = await exchange(tool, session, target);
      return { name: nameOf(value), value };
    } catch {
      // What went wrong may hold what was sent or what came back.
      throw new BehestError("credential_failed", `credential_failed: no token was issued for "${tool}".`);
    }
  };
}

function authenticationOf({ id, secret, key }: ExchangeClient): ClientAuth {
  try {
    if (id === "" || (secret === undefined) === (key === undefined)) throw new TypeError("either of them");
    return key === undefined ? ClientSecretBasic(secret!) : PrivateKeyJwt(key);
  } catch {
    const message =
      "config_invalid: tokenExchange: client has an id, and either a secret or a private key (CryptoKey).";
    throw new BehestError("config_invalid", message);
  }
}

type Answer = Awaited<ReturnType<typeof processGenericTokenEndpointResponse>>;

/** A bearer token that was issued as what was asked for, and that has not run out on its way. */
function issued(answer: Answer): string {
  const { access_token: token, token_type: type, issued_token_type: as, expires_in: left } = answer;
  // Of an access token that is a JWT, servers say either.
  const isAsked = as === `${TYPE}access_token` || as === `${TYPE}jwt`;
  if (type !== "bearer" || !isAsked || (left !== undefined && left <= 0))
    throw new TypeError("not the token that was asked for");
  return token;
}

/** What a resource's own log calls it by, where that can stand in ours. */
function nameOf(token: string): string {
  const jti = jtiOf(token);
  if (typeof jti === "string" && /^[\w.:~+/=-]{1,128}$/.test(jti)) return jti;
  return `sha256:${sha256Text(token).slice(0, 22)}`;
}

/** Not verified: that is for the resource to do. */
function jtiOf(token: string): unknown {
  try {
    return (parseJson(splitCompact(token).payload) as { readonly jti?: Json } | null)?.jti;
  } catch {
    return undefined;
  }
}
