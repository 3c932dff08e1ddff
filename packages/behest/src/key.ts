import { readKeyFile } from "@behest/core";
import { type PublicJwk, parseJson, publicJwk } from "@behest/jws";
import { CliError } from "./error.ts";
import { readText } from "./file.ts";

/**
 * Whose key a delegation is to be bound to: a JWK, as text or in a file. A file with a private key must be
 * its owner's alone (`key_unsafe`), as everywhere. Throws `file_…`, `malformed_input`.
 */
export async function readPublicKey(given: string): Promise<PublicJwk> {
  const inline = given.trimStart().startsWith("{");
  const text = inline ? given : await readText(given);
  try {
    const value = parseJson(text);
    if (inline || !Object.hasOwn(Object(value), "d")) return publicJwk(value);
  } catch (cause) {
    throw new CliError("malformed_input", "--holder: not an Ed25519 JWK (public, or a key file of one).", {
      cause,
    });
  }
  return readKeyFile(given).jwk;
}
