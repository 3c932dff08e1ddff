import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseJson } from "@behest/jws";
import { BehestError } from "./error.ts";

/** Where `behest init` puts what an enforcing process needs. */
export const LOCAL_FOLDER = ".behest";

/** `config.json` in that folder, with absolute paths. */
export interface Local {
  /** The folder itself. */
  readonly folder: string;
  /** RFC 7638 thumbprint of the owner. */
  readonly owner: string;
  readonly manifest: string;
  /** Where a file of profiles may be. */
  readonly profiles: string;
  readonly store: string;
  /** The enforcer's key file. */
  readonly signer: string;
  /** The agent's key file. */
  readonly holder: string;
  /** Where the keys of owner and issuer are; a process that runs agents must not be able to read it. */
  readonly keys: string;
}

/** The deployment here or in the nearest folder above. Throws `config_invalid`. */
export function findLocal(start: string = process.cwd()): Local | undefined {
  for (let at = start; ; at = dirname(at)) {
    const folder = join(at, LOCAL_FOLDER);
    if (isConfigured(folder)) return readLocal(folder);
    if (dirname(at) === at) return undefined;
  }
}

/** A folder that is there and cannot be looked into is not passed over for another one, or for none. */
function isConfigured(folder: string): boolean {
  try {
    statSync(join(folder, "config.json"));
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw new BehestError("config_invalid", `config_invalid: ${folder} cannot be read by this user.`, {
      cause,
    });
  }
}

function readLocal(folder: string): Local {
  const path = join(folder, "config.json");
  const config = readConfig(path);
  const text = (name: string): string => {
    const value = config?.[name];
    if (typeof value === "string") return value;
    throw new BehestError("config_invalid", `config_invalid: ${path} has no "${name}".`);
  };
  const file = (name: string): string => resolve(folder, text(name));
  return {
    folder,
    owner: text("owner"),
    manifest: file("manifest"),
    profiles: join(folder, "profiles.json"),
    store: file("store"),
    signer: file("signer"),
    holder: file("holder"),
    keys: file("keys"),
  };
}

function readConfig(path: string): { readonly [name: string]: unknown } | null {
  try {
    return parseJson(readFileSync(path, "utf8")) as { readonly [name: string]: unknown } | null;
  } catch (cause) {
    throw new BehestError("config_invalid", `config_invalid: ${path} is not JSON that can be read.`, {
      cause,
    });
  }
}
