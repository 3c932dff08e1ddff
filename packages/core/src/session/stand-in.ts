import type { HopClaims } from "@behest/delegation";
import { randomBytes, sha256Text, thumbprint, toBase64url } from "@behest/jws";
import type { Deployment } from "../deployment.ts";

/**
 * What an observed session has where others have a verified root: in this process's memory only, signed by nobody and
 * restricting nothing, for as long as this process can record.
 */
export function standIn({ clock, until, entryKey }: Deployment, issuer: string, subject: string): HopClaims {
  const { jwk } = entryKey;
  return {
    jti: toBase64url(randomBytes(16)),
    hash: toBase64url(randomBytes(32)),
    iss: issuer,
    sub: subject,
    iat: Math.floor(clock() / 1000),
    exp: Math.floor(until / 1000),
    depth: 0,
    maxDepth: Number.MAX_SAFE_INTEGER,
    holder: thumbprint(jwk),
    jwk,
    restrictions: undefined,
    tenant: undefined,
    task: undefined,
    agent: undefined,
    identity: undefined,
    consent: undefined,
  };
}

/** The same for what a spawn makes of it: however often it is made again. */
export function standInBelow(above: HopClaims, spawn: string, task: string | undefined): HopClaims {
  return {
    ...above,
    jti: sha256Text(`${above.jti}\n${spawn}`),
    hash: sha256Text(`${above.hash}\n${spawn}`),
    depth: above.depth + 1,
    task,
  };
}
