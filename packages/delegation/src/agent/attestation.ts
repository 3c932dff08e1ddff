import {
  type Json,
  type PublicJwk,
  type PublicKey,
  type Signer,
  checkHeader,
  parseJson,
  publicKey,
  signCompact,
  splitCompact,
  thumbprint,
  utf8,
  verify,
} from "@behest/jws";
import { type Duration, seconds } from "../duration.ts";
import { type DelegationCode, DelegationError } from "../error.ts";
import { type AgentIdentity, parseIdentity, readIdentity } from "./identity.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { boundKey, malformed, onlyMembers, time } from "../request.ts";
import { isObject } from "../token/token.ts";

const TYP = "behest-agent+jwt";

export interface AttestClaims {
  /** With `deployer`: whose key signs. */
  readonly identity: AgentIdentity;
  /** The agent's own key: nobody else can present the attestation. */
  readonly holder: PublicJwk;
  /** At most 90 days. */
  readonly expiresIn: Duration;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
}

/**
 * The deployer signs which agent holds a key: a compact JWS, `typ` `behest-agent+jwt`, claims
 * `{iss: deployer, agent_identity, cnf: {jkt: thumbprint of the holder's key}, iat, exp}`. Throws `malformed_request`.
 */
export async function attestAgent(claims: AttestClaims, deployer: Signer): Promise<string> {
  onlyMembers(claims, ["identity", "holder", "expiresIn", "now"]);
  const identity = readIdentity(claims.identity);
  const iss = identity["deployer"];
  if (iss === undefined) malformed("identity.deployer", "name who attests");
  const lifetime = seconds(claims.expiresIn);
  if (lifetime > DEFAULT_LIMITS.maxTokenLifetime) malformed("expiresIn", "expected at most 90 days");
  const jkt = thumbprint(boundKey(claims.holder));
  const iat = time(claims.now);
  const payload = { iss, agent_identity: identity, cnf: { jkt }, iat, exp: iat + lifetime };
  return signCompact({ typ: TYP }, payload, deployer);
}

/** A deployer's name and a key of its. */
export interface Deployer {
  readonly deployer: string;
  readonly jwk: PublicJwk;
}

export interface AttestationOptions {
  /** Whose attestations are accepted; a deployer may have several keys. */
  readonly deployers: readonly Deployer[];
  /** The key of whoever presents it, possession of which was shown elsewhere. */
  readonly holder: PublicJwk;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
}

export interface Attested {
  readonly identity: AgentIdentity;
  /** Seconds since the epoch; from then on nobody vouches for it. */
  readonly exp: number;
}

/**
 * What a deployer attests of the agent that holds this key. Throws `malformed_attestation`, `header_refused`,
 * `deployer_untrusted`, `holder_mismatch`, `attestation_expired`, `lifetime_refused`.
 */
export async function verifyAttestation(jws: string, options: AttestationOptions): Promise<Attested> {
  const now = time(options.now);
  const token = opened(jws);
  const names = new Set<string>();
  for (const { deployer, jwk } of options.deployers)
    if (await verify(imported(jwk), utf8(token.input), token.signature)) names.add(deployer);
  const { iss, agent_identity: stated, cnf, iat, exp, ...rest } = claimsOf(token.payload, names.size > 0);
  const identity = parseIdentity(stated);
  if (
    Object.keys(rest).length > 0 ||
    identity?.deployer === undefined ||
    iss !== identity.deployer ||
    !isObject(cnf) ||
    Object.keys(cnf).join() !== "jkt" ||
    !Number.isSafeInteger(iat) ||
    !Number.isSafeInteger(exp)
  )
    return refuse("malformed_attestation", "its claims are not those of an attestation");
  const [from, until] = [iat as number, exp as number];
  if (!names.has(identity.deployer)) untrusted();
  if (cnf["jkt"] !== thumbprint(options.holder)) refuse("holder_mismatch", "it is another key's");
  if (!(until > now)) refuse("attestation_expired", "expired");
  const { maxIatSkew, maxTokenLifetime } = DEFAULT_LIMITS;
  if (!(from <= now + maxIatSkew && from < until && until <= from + maxTokenLifetime))
    refuse("lifetime_refused", "iat and exp contradict each other or the clock");
  return { identity, exp: until };
}

function imported(jwk: PublicJwk): PublicKey {
  try {
    return publicKey(jwk);
  } catch (cause) {
    throw new DelegationError("malformed_request", "deployers: a key is not an Ed25519 public key", {
      cause,
    });
  }
}

function opened(jws: string): ReturnType<typeof splitCompact> {
  if (typeof jws !== "string" || !(jws.length <= DEFAULT_LIMITS.maxTokenSize))
    return refuse("malformed_attestation", "not a text of bounded size");
  let token: ReturnType<typeof splitCompact>;
  try {
    token = splitCompact(jws);
  } catch (cause) {
    return refuse("malformed_attestation", "not a compact JWS", cause);
  }
  try {
    checkHeader(token.header, { typ: TYP });
  } catch (cause) {
    return refuse("header_refused", "alg, typ or crit is not acceptable", cause);
  }
  return token;
}

/** Claims are read only once a listed key has verified them. */
function claimsOf(payload: string, verified: boolean): { readonly [name: string]: Json } {
  if (!verified) return untrusted();
  try {
    const claims = parseJson(payload);
    if (isObject(claims)) return claims;
  } catch {
    // Refused below: there is nothing more to say of it.
  }
  return refuse("malformed_attestation", "its claims are not a JSON object with distinct names");
}

function untrusted(): never {
  return refuse("deployer_untrusted", "no listed key of its deployer verifies it");
}

function refuse(code: DelegationCode, what: string, cause?: unknown): never {
  throw new DelegationError(code, `attestation: ${what}`, { cause });
}
