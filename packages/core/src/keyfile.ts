import { constants, lstatSync, readFileSync } from "node:fs";
import { type Holder, holderOf } from "@behest/delegation";
import { FormatError, type PrivateJwk, type Signer, parseJson, signerOf } from "@behest/jws";
import { BehestError } from "./error.ts";

/** A private key in a file: a JWK, readable by its owner alone. Throws `key_unsafe`, `config_missing`, `config_invalid`. */
export function readKeyFile(path: string): Holder {
  const jwk = privateJwk(path, readPrivate(path));
  return holderOf(signer(path, jwk));
}

function signer(path: string, jwk: PrivateJwk): Signer {
  try {
    return signerOf(jwk);
  } catch (cause) {
    throw new BehestError("config_invalid", `config_invalid: ${path} holds no Ed25519 private key.`, {
      cause,
    });
  }
}

function readPrivate(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new BehestError(
      "config_missing",
      `config_missing: there is no key file ${path}. Run "npx behest init".`,
    );
  if (!stat.isFile()) throw new BehestError("key_unsafe", `key_unsafe: ${path} is not a plain file.`);
  if (process.platform !== "win32" && stat.mode & (constants.S_IRWXG | constants.S_IRWXO))
    throw new BehestError("key_unsafe", `key_unsafe: ${path} can be read by others. Run: chmod 600 ${path}`);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BehestError("config_invalid", `config_invalid: ${path} cannot be read.`, { cause });
  }
}

function privateJwk(path: string, text: string): PrivateJwk {
  try {
    const { kty, crv, x, d } = parseJson(text) as { [name: string]: unknown };
    if (kty === "OKP" && crv === "Ed25519" && typeof x === "string" && typeof d === "string")
      return { kty, crv, x, d };
  } catch (error) {
    if (!(error instanceof FormatError) && !(error instanceof TypeError)) throw error;
  }
  throw new BehestError("config_invalid", `config_invalid: ${path} holds no Ed25519 private key.`);
}
