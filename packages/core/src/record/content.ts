import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomFillSync } from "node:crypto";
import { sha256Text, utf8 } from "@behest/jws";
import { commit } from "@behest/provenance";
import { hmac } from "./hmac.ts";

/**
 * A principal's key at work: what seals content, salts commitments and names runs and actions. All
 * three come from the one key that erasure destroys, so that afterwards nothing opens and nothing can
 * be confirmed by guessing.
 */
export interface Vault {
  readonly principal: string;
  /** Keyed name of a value: the same for equal values of this principal, meaningless without the key. */
  name(...parts: readonly string[]): string;
  /** Commitment to `text` as `field` of the entry about `subject`. */
  commit(subject: string, field: string, text: string): string;
  /** The salt that opens {@link Vault.commit}. */
  salt(subject: string, field: string): string;
  /**
   * AES-256-GCM: nonce (12) ‖ ciphertext ‖ tag (16). What it is of is authenticated, so that rows cannot
   * be swapped.
   */
  seal(subject: string, field: string, text: string): Uint8Array;
  /** Throws {@link AlteredContent} where the row was altered, moved or sealed under another key. */
  open(subject: string, field: string, sealed: Uint8Array): string;
}

/** What is kept is not what was sealed. */
export class AlteredContent extends Error {}

/** `altered`: told of each piece that does not open. */
export function vaultOf(principal: string, key: Uint8Array, altered?: (error: Error) => void): Vault {
  const derive = (label: string): Buffer =>
    Buffer.from(hkdfSync("sha256", key, "", `behest ${label} v1`, 32));
  // A key object: Node wraps a bare buffer anew at every use, which costs more than the use.
  const sealing = createSecretKey(derive("seal"));
  const [salting, naming] = [hmac(derive("salt")), hmac(derive("name"))];
  // One secret per subject, from it a salt per field: whoever is shown one field's salt can confirm no other.
  const salt = (subject: string, field: string): string => sha256Text(`${salting(subject)}:${field}`);
  return {
    principal,
    name(...parts) {
      // Length first, so that no two lists of parts read the same.
      let text = "";
      for (const part of parts) text += `${part.length}:${part}`;
      return naming(text);
    },
    salt,
    commit: (subject, field, text) => commit(salt(subject, field), text),
    seal(subject, field, text) {
      const nonce = freshNonce();
      const cipher = createCipheriv("aes-256-gcm", sealing, nonce);
      cipher.setAAD(utf8(`${field}:${subject}`));
      const ciphertext = cipher.update(text, "utf8");
      // The last block of this mode is empty.
      cipher.final();
      // Memory of its own: a piece of Node's pool would take the whole pool along to the writer's thread.
      const sealed = new Uint8Array(NONCE + ciphertext.length + TAG);
      sealed.set(nonce);
      sealed.set(ciphertext, NONCE);
      sealed.set(cipher.getAuthTag(), NONCE + ciphertext.length);
      return sealed;
    },
    open(subject, field, sealed) {
      try {
        const decipher = createDecipheriv("aes-256-gcm", sealing, sealed.subarray(0, NONCE));
        decipher.setAAD(utf8(`${field}:${subject}`));
        decipher.setAuthTag(sealed.subarray(-TAG));
        return decipher.update(sealed.subarray(NONCE, -TAG), undefined, "utf8") + decipher.final("utf8");
      } catch (cause) {
        const error = new AlteredContent("stored content is not what was sealed", { cause });
        altered?.(error);
        throw error;
      }
    },
  };
}

const NONCE = 12;
const TAG = 16;

// Random bytes are drawn for many at once, and no piece is handed out twice.
const drawn = new Uint8Array(256 * NONCE);
let at: number = drawn.length;

function freshNonce(): Uint8Array {
  if (at === drawn.length) {
    randomFillSync(drawn);
    at = 0;
  }
  return drawn.subarray(at, (at += NONCE));
}
