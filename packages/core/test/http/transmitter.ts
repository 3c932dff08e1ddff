import {
  type GenerateKeyPairResult,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
  exportJWK,
  generateKeyPair,
} from "jose";

export const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
export const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
export const SSF = "https://schemas.openid.net/secevent/ssf/event-type/";

/** An identity provider's key, and what it signs with it. */
export interface Key {
  readonly pair: GenerateKeyPairResult;
  readonly jwk: JWK;
}

export async function newKey(alg: string, kid?: string): Promise<Key> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), ...(kid !== undefined && { kid }) };
  return { pair, jwk };
}

export const IDP = "https://idp.test";
export const RECEIVER = "https://receiver.test/signals";

export const now = (): number => Math.floor(Date.now() / 1000);

let sequence = 0;
/** A token that is in order, unless something of it is changed; undefined takes a claim out. */
export function signal(
  { pair }: Key,
  change: { readonly [claim: string]: unknown } = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const claims = {
    iss: IDP,
    aud: RECEIVER,
    iat: now(),
    jti: `set-${++sequence}`,
    sub_id: { format: "iss_sub", iss: IDP, sub: "alice" },
    events: { [`${CAEP}session-revoked`]: {} },
    ...change,
  };
  return new SignJWT(JSON.parse(JSON.stringify(claims)) as typeof claims)
    .setProtectedHeader({ alg: "RS256", typ: "secevent+jwt", ...header })
    .sign(pair.privateKey, { crit: { x: true } });
}
