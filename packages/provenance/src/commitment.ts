import { sha256, toBase64url, utf8 } from "@behest/jws";
import { ProvenanceError } from "./error.ts";
import type { Commitment } from "./payload.ts";

/**
 * Commits to a text: SHA-256(salt's length, 1 byte ‖ salt ‖ UTF-8 of the text), base64url. Without a secret salt
 * a short or guessable text (an amount, an address) could be found by trying; erasing the salt makes the text
 * unconfirmable for ever while every signature and proof over the commitment still holds. The length is there so
 * that no end of the salt can be passed off as the beginning of the text. The salt has 16 to 255 bytes, random or
 * derived from a key that is erased. Throws `salt_too_short`, `malformed_content` (lone surrogates).
 */
export function commit(salt: Uint8Array, text: string): Commitment {
  if (salt.length < 16 || salt.length > 255)
    throw new ProvenanceError("salt_too_short", "a salt has 16 to 255 bytes");
  if (!text.isWellFormed())
    throw new ProvenanceError("malformed_content", "a lone surrogate cannot be committed to");
  const content = utf8(text);
  const bytes = new Uint8Array(1 + salt.length + content.length);
  bytes[0] = salt.length;
  bytes.set(salt, 1);
  bytes.set(content, 1 + salt.length);
  return toBase64url(sha256(bytes));
}

/** True when `commitment` is to this text under this salt. All three are shown by then: not constant in time. */
export function opens(commitment: Commitment, salt: Uint8Array, text: string): boolean {
  return commit(salt, text) === commitment;
}
