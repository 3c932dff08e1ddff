import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseJson } from "@behest/jws";
import { type BehestConfig, createFrom } from "./behest.ts";
import { BehestError } from "./error.ts";
import { readKeyFile } from "./keyfile.ts";
import { sqliteStore } from "./store/sqlite/store.ts";
import { trusted } from "./trust.ts";
import type { Behest } from "./types.ts";

/** `.behest/config.json`, as `behest init` writes it; paths are relative to its folder. */
export interface LocalConfig {
  /** RFC 7638 thumbprint of the owner. */
  readonly owner: string;
  readonly manifest: string;
  readonly store: string;
  /** The enforcer's key file. */
  readonly signer: string;
  /** The agent's key file. */
  readonly holder: string;
  /** Where `init` put the keys of owner and issuer; this process must not be able to read them. */
  readonly keys: string;
}

export const FOLDER = ".behest";

/**
 * A Behest from `config`, or without one from the `.behest` folder here or above. Throws `config_missing`,
 * `config_invalid`, `key_unsafe`, `key_readable`, `trust_invalid`, `store_mismatch` and the other `store_…`.
 */
export async function createBehest(config?: BehestConfig): Promise<Behest> {
  if (config) return createFrom(config);
  const folder = findFolder(process.cwd());
  if (!folder)
    throw new BehestError(
      "config_missing",
      'config_missing: createBehest() found no .behest/ here or above. Run "npx behest init", or pass { trust, signer, store }.',
    );
  const local = readLocal(folder);
  const path = (name: string): string => resolve(folder, name);
  const trust = { owner: local.owner, manifest: readText(path(local.manifest)) };
  const { manifest } = await trusted(trust);
  keptApart(path(local.keys), manifest.rung === "local");
  return createFrom({
    trust,
    signer: readKeyFile(path(local.signer)),
    holder: readKeyFile(path(local.holder)),
    store: sqliteStore(path(local.store)),
  });
}

/** The nearest `.behest` folder, from `start` upwards. */
export function findFolder(start: string): string | undefined {
  for (let at = start; ; at = dirname(at)) {
    const folder = join(at, FOLDER);
    if (existsSync(join(folder, "config.json"))) return folder;
    if (dirname(at) === at) return undefined;
  }
}

const NAMES = ["owner", "manifest", "store", "signer", "holder", "keys"] as const;

/** Throws `config_invalid`. */
export function readLocal(folder: string): LocalConfig {
  const path = join(folder, "config.json");
  let value: unknown;
  try {
    value = parseJson(readText(path));
  } catch (cause) {
    if (BehestError.isInstance(cause)) throw cause;
    throw new BehestError("config_invalid", `config_invalid: ${path} is not JSON.`, { cause });
  }
  const config = value as { readonly [name: string]: unknown } | null;
  for (const name of NAMES)
    if (typeof config?.[name] !== "string")
      throw new BehestError("config_invalid", `config_invalid: ${path} has no "${name}".`);
  return config as unknown as LocalConfig;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BehestError("config_invalid", `config_invalid: ${path} cannot be read.`, { cause });
  }
}

/**
 * A process that runs agents must not be able to read the keys of owner and issuer. On the one machine of
 * a developer (rung `local`) one person holds them all and the same account runs everything: there it is
 * said, loudly, at every start; anywhere else it ends it. See docs/decisions/0003-local-keys.md.
 */
function keptApart(folder: string, local: boolean): void {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
  } catch {
    return;
  }
  const what = "this process can read the folder of the owner's and issuer's keys";
  if (!local)
    throw new BehestError(
      "key_readable",
      `key_readable: ${what}. Move the keys off this machine, or run agents under another account.`,
    );
  process.emitWarning(
    `${what} (rung "local": for development only). Move them off this machine before anything real runs here.`,
    {
      code: "BEHEST_KEY_READABLE",
    },
  );
}
