import { lstatSync } from "node:fs";
import { DelegationError, type Holder, holderOf } from "@behest/delegation";
import { signerFromFile } from "@behest/delegation/node";
import { BehestError } from "./error.ts";

/**
 * A private key in a file, readable by its owner alone: a JWK, or PKCS#8 PEM. Throws `key_unsafe`,
 * `config_missing`, `config_invalid`.
 */
export function readKeyFile(path: string): Holder {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new BehestError(
      "config_missing",
      `config_missing: there is no key file ${path}. Run "npx behest init".`,
    );
  // A link, too: a deployment's own folder has none.
  if (!stat.isFile()) throw new BehestError("key_unsafe", `key_unsafe: ${path} is not a plain file.`);
  try {
    return holderOf(signerFromFile(path));
  } catch (cause) {
    if (!DelegationError.isInstance(cause)) throw cause;
    const code = cause.code === "key_readable" ? "key_unsafe" : "config_invalid";
    throw new BehestError(code, `${code}: ${cause.message}.`, { cause });
  }
}
