import { type PublicJwk, fromBase64url, publicJwk, toBase64url } from "@behest/jws";
import { ProvenanceError } from "./error.ts";
import { KEY_TYPES, type KeyType, fromBase64, idBytes, isKeyName, join, toBase64 } from "./note.ts";

/** A key under the name that its signatures on notes carry. */
export interface NamedKey {
  readonly name: string;
  readonly jwk: PublicJwk;
}

/** A verifier key and what it signs: checkpoints as a log, or cosignatures as a witness. */
export interface Vkey extends NamedKey {
  readonly type: KeyType;
}

/** C2SP signed-note, "Verifier keys": `<name>+<key id, hex>+<base64 of type ‖ key>`. Throws `malformed_vkey`. */
export function printVkey({ name, jwk, type }: Vkey): string {
  if (!isKeyName(name)) throw new ProvenanceError("malformed_vkey", "a key's name has no blanks and no plus");
  const material = join(Uint8Array.of(KEY_TYPES[type]), fromBase64url(jwk.x));
  return `${name}+${hex(idBytes(name, jwk, type))}+${toBase64(material)}`;
}

/** Strict inverse of {@link printVkey}, for Ed25519 keys of the two types. Throws `malformed_vkey`. */
export function parseVkey(text: string): Vkey {
  const [, name = "", data = ""] = /^([^+]*)\+[0-9a-f]{8}\+(.*)$/u.exec(text) ?? [];
  const jwk = keyIn(data);
  const type = (["log", "witness"] as const).find((one) => printed(name, jwk, one) === text);
  if (jwk && type) return { name, jwk, type };
  throw new ProvenanceError(
    "malformed_vkey",
    "a verifier key is a name, its key id, and an Ed25519 key of type 1 or 4",
  );
}

function keyIn(data: string): PublicJwk | undefined {
  try {
    return publicJwk({ kty: "OKP", crv: "Ed25519", x: toBase64url(fromBase64(data).subarray(1)) });
  } catch {
    return undefined;
  }
}

function printed(name: string, jwk: PublicJwk | undefined, type: KeyType): string | undefined {
  return jwk && isKeyName(name) ? printVkey({ name, jwk, type }) : undefined;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
