import { randomBytes, toBase64url } from "@behest/jws";

/**
 * 128 random bits that a token says and nobody else does. Records name a token by the hash of what was signed, and may
 * outlive it: without this, whoever knows its ids and dates from there could try who it was for, and be told.
 */
export function newSalt(): string {
  return toBase64url(randomBytes(16));
}
