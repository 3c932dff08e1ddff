import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readKeyFile } from "@behest/core";
import { type Signer, generatePrivateJwk, parseJson, thumbprint } from "@behest/jws";
import { parseVkey, printVkey } from "@behest/provenance";
import { CliError, usage } from "../error.ts";
import { isThere, writeNew } from "../file.ts";

/** Who a witness is: its key, and the name that its lines carry. */
export interface Self {
  readonly name: string;
  readonly signer: Signer;
  readonly vkey: string;
}

/**
 * The witness whose folder this is; made where it is not there yet, with a new key in `witness.jwk` (for its owner
 * alone), whose `kid` is the name. Throws `usage` for another name than it has, `key_unsafe`, `config_invalid`, `file_unwritable`.
 */
export async function selfIn(folder: string, given: string | undefined): Promise<Self> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CliError("file_unwritable", `${folder} cannot be made.`, { cause });
  }
  const path = join(folder, "witness.jwk");
  if (!isThere(path)) {
    const jwk = await generatePrivateJwk();
    const name = given ?? `witness.local/${thumbprint(jwk).slice(0, 12)}`;
    printable(name, jwk);
    writeNew(path, `${JSON.stringify({ ...jwk, kid: name })}\n`);
  }
  const signer = readKeyFile(path);
  const { kid } = parseJson(readFileSync(path, "utf8")) as { readonly kid?: unknown };
  if (typeof kid !== "string") throw new CliError("config_invalid", `${path} has no name ("kid").`);
  if (given !== undefined && given !== kid) throw usage("--name: this witness has another name already.");
  return { name: kid, signer, vkey: printable(kid, signer.jwk) };
}

function printable(name: string, jwk: Signer["jwk"]): string {
  try {
    const vkey = printVkey({ name, jwk, type: "witness" });
    parseVkey(vkey);
    return vkey;
  } catch {
    throw usage("--name: a name without blanks and plus signs, such as witness.example/w1.");
  }
}
