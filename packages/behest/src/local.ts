import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseJson } from "@behest/jws";
import { type Manifest, readTrust } from "@behest/provenance";
import { CliError } from "./error.ts";

export const FOLDER = ".behest";

const NAMES = ["owner", "manifest", "store", "signer", "holder", "keys"] as const;

/** The deployment of this folder, as `init` made it. Paths are absolute. */
export type Local = { readonly [name in (typeof NAMES)[number]]: string } & {
  /** Where `.behest` is. */
  readonly folder: string;
};

/** The nearest `.behest` here or above. Throws `config_invalid`. */
export function findLocal(start: string = process.cwd()): Local | undefined {
  for (let at = start; ; at = dirname(at)) {
    const folder = join(at, FOLDER);
    if (existsSync(join(folder, "config.json"))) return readLocal(folder);
    if (dirname(at) === at) return undefined;
  }
}

/** Throws `config_missing`, `config_invalid`. */
export function requireLocal(): Local {
  const local = findLocal();
  if (local) return local;
  throw new CliError("config_missing", 'there is no .behest/ here or above. Run "behest init".');
}

function readLocal(folder: string): Local {
  const path = join(folder, "config.json");
  let value: { readonly [name: string]: unknown } | null;
  try {
    value = parseJson(readFileSync(path, "utf8")) as typeof value;
  } catch (cause) {
    throw new CliError("config_invalid", `${path} is not JSON that can be read.`, { cause });
  }
  const text = (name: string): string => {
    const found = value?.[name];
    if (typeof found === "string") return found;
    throw new CliError("config_invalid", `${path} has no "${name}".`);
  };
  const paths = NAMES.map((name) => [name, name === "owner" ? text(name) : resolve(folder, text(name))]);
  return { ...Object.fromEntries(paths), folder } as Local;
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
