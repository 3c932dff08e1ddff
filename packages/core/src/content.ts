import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomFillSync,
} from "node:crypto";
import { sha256, toBase64url, utf8 } from "@behest/jws";
import { commit } from "@behest/provenance";

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
  salt(subject: string, field: string): Uint8Array;
  /**
   * AES-256-GCM: nonce (12) ‖ ciphertext ‖ tag (16). What it is of is authenticated, so that rows cannot
   * be swapped.
   */
  seal(subject: string, field: string, text: string): Uint8Array;
  /** Throws where the row was altered, moved or sealed under another key. */
  open(subject: string, field: string, sealed: Uint8Array): string;
}

export function vaultOf(principal: string, key: Uint8Array): Vault {
  // Key objects: Node wraps a bare buffer anew at every use, which costs more than the use.
  const derive = (label: string): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync("sha256", key, "", `behest ${label} v1`, 32)));
  const [sealing, salting, naming] = [derive("seal"), derive("salt"), derive("name")];
  const mac = (k: KeyObject, parts: readonly string[]): Buffer => {
    // Length first, so that no two lists of parts read the same.
    let text = "";
    for (const part of parts) text += `${part.length}:${part}`;
    return createHmac("sha256", k).update(text).digest();
  };
  // One secret per subject, from it a salt per field: whoever is shown one field's salt can confirm no other.
  let latest = { subject: "", secret: "" };
  const salt = (subject: string, field: string): Uint8Array => {
    if (latest.subject !== subject) latest = { subject, secret: toBase64url(mac(salting, [subject])) };
    return sha256(`${latest.secret}:${field}`);
  };
  return {
    principal,
    name: (...parts) => toBase64url(mac(naming, parts)),
    salt,
    commit: (subject, field, text) => commit(salt(subject, field), text),
    seal(subject, field, text) {
      const nonce = randomFillSync(Buffer.allocUnsafe(12));
      const cipher = createCipheriv("aes-256-gcm", sealing, nonce);
      cipher.setAAD(utf8(`${field}:${subject}`));
      return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    },
    open(subject, field, sealed) {
      const decipher = createDecipheriv("aes-256-gcm", sealing, sealed.subarray(0, 12));
      decipher.setAAD(utf8(`${field}:${subject}`));
      decipher.setAuthTag(sealed.subarray(-16));
      return decipher.update(sealed.subarray(12, -16), undefined, "utf8") + decipher.final("utf8");
    },
  };
}
