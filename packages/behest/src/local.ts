import { readFileSync } from "node:fs";
import { type Local, findLocal } from "@behest/core";
import { type Manifest, readTrust } from "@behest/provenance";
import { CliError } from "./error.ts";

/** Throws `config_missing`, `config_invalid`. */
export function requireLocal(): Local {
  const local = findLocal();
  if (local) return local;
  throw new CliError("config_missing", 'there is no .behest/ here or above. Run "behest init".');
}

/** The manifest of a deployment, verified under its pinned owner. Throws `config_invalid`, `owner_mismatch`, `malformed_trust`, … */
export async function readManifest({ manifest, owner }: Local): Promise<Manifest> {
  let jws: string;
  try {
    jws = readFileSync(manifest, "utf8").trim();
  } catch (cause) {
    throw new CliError("config_invalid", `${manifest} cannot be read.`, { cause });
  }
  return readTrust(jws, owner);
}
