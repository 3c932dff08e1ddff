import { type AatTools, type DelegationLike, parseDelegation } from "@behest/delegation";
import { CodedError, type Json, parseJson, publicJwk, splitCompact, thumbprint } from "@behest/jws";
import { CliError } from "./error.ts";

/** What one token of a chain says, whether or not it is true. */
export interface Hop {
  readonly iss: string;
  readonly sub: string | undefined;
  readonly tenant: string | undefined;
  readonly task: string | undefined;
  readonly agent: string | undefined;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
  readonly depth: number;
  readonly maxDepth: number;
  /** RFC 7638 thumbprint of the key it is bound to. */
  readonly holder: string;
  readonly tools: AatTools;
  /** `consent` and `agent_identity` as they stand. */
  readonly consent: { readonly [name: string]: Json } | undefined;
  readonly identity: { readonly [name: string]: Json } | undefined;
  /** `bhst` as it stands. */
  readonly restrictions: { readonly [name: string]: Json } | undefined;
}

/** Seconds since the epoch of the last moment that a Date can hold. */
const LATEST = 8_640_000_000_000;

/** Takes a chain apart, root first, and verifies nothing. Throws `malformed_input`. */
export function readHops(delegation: DelegationLike): readonly Hop[] {
  try {
    const hops = parseDelegation(delegation).map(readHop);
    return hops.length > 0 ? hops : refuse();
  } catch (cause) {
    if (!CodedError.isInstance(cause)) throw cause;
    return refuse(cause);
  }
}

function refuse(cause?: unknown): never {
  const message = 'not a delegation: expected {"chain": [root, …, leaf]} of AAT tokens.';
  throw new CliError("malformed_input", message, { cause });
}

function readHop(token: string): Hop {
  const { header, payload } = splitCompact(token);
  const claims = parseJson(payload);
  if (header["typ"] !== "aat+jwt" || !isObject(claims)) return refuse();
  const text = (name: string): string | undefined =>
    typeof claims[name] === "string" ? claims[name] : undefined;
  const required = (name: string): string => text(name) ?? refuse();
  const count = (name: string): number => {
    const value = claims[name];
    return typeof value === "number" && value >= 0 && value <= LATEST ? value : refuse();
  };
  const cnf = claims["cnf"];
  return {
    iss: required("iss"),
    sub: text("sub"),
    tenant: text("tenant"),
    task: text("task"),
    agent: text("agent"),
    jti: required("jti"),
    iat: count("iat"),
    exp: count("exp"),
    depth: count("del_depth"),
    maxDepth: count("del_max_depth"),
    holder: thumbprint(publicJwk(isObject(cnf) ? cnf["jwk"] : undefined)),
    tools: toolsOf(claims["authorization_details"]),
    consent: isObject(claims["consent"]) ? claims["consent"] : undefined,
    identity: isObject(claims["agent_identity"]) ? claims["agent_identity"] : undefined,
    restrictions: isObject(header["bhst"]) ? header["bhst"] : undefined,
  };
}

function toolsOf(details: Json | undefined): AatTools {
  if (!Array.isArray(details)) return refuse();
  const granted = details.filter((entry) => isObject(entry) && entry["type"] === "attenuating_agent_token");
  if (granted.length === 0) return {};
  const { tools } = granted[0] as { tools?: Json };
  const shaped = granted.length === 1 && isObject(tools) && Object.values(tools).every(isConstraintMap);
  return shaped ? (tools as AatTools) : refuse();
}

function isConstraintMap(value: Json): boolean {
  return isObject(value) && Object.values(value).every(isObject);
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
