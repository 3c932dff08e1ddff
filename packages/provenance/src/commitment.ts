import { sha256Text } from "@behest/jws";
import { ProvenanceError } from "./error.ts";
import type { Commitment } from "./payload.ts";

const SALT = /^[A-Za-z0-9_-]{22,127}$/;

/**
 * Commits to a text: SHA-256(salt's length, 1 byte ‖ ASCII of the salt ‖ UTF-8 of the text), base64url. Without a
 * secret salt a short or guessable text (an amount, an address) could be found by trying; erasing the salt makes the
 * text unconfirmable for ever while every signature and proof over the commitment still holds. The length is there so
 * that no end of the salt can be passed off as the beginning of the text. A salt is text, as it travels: 22 to 127
 * characters of base64url, random or derived from a key that is erased. Throws `malformed_salt`, `malformed_content`
 * (lone surrogates).
 */
export function commit(salt: string, text: string): Commitment {
  if (!SALT.test(salt))
    throw new ProvenanceError("malformed_salt", "a salt has 22 to 127 characters of base64url");
  if (!text.isWellFormed())
    throw new ProvenanceError("malformed_content", "a lone surrogate cannot be committed to");
  return sha256Text(String.fromCharCode(salt.length) + salt + text);
}

/** True when `commitment` is to this text under this salt. All three are shown by then: not constant in time. */
export function opens(commitment: Commitment, salt: string, text: string): boolean {
  return commit(salt, text) === commitment;
}
