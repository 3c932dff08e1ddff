import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { type BehestConfig, createFrom } from "./behest.ts";
import { BehestError } from "./error.ts";
import { readKeyFile } from "./keyfile.ts";
import { findLocal } from "./local.ts";
import { sqliteStore } from "./store/sqlite/store.ts";
import { trusted } from "./trust.ts";
import type { Behest } from "./types.ts";

/** What `.behest` has, where it is not given: trust, signer and store together, or none of them. */
export type LocalConfig = Omit<BehestConfig, "trust" | "signer" | "store"> & {
  readonly [name in "trust" | "signer" | "store"]?: never;
};

/**
 * A Behest. Without `trust`, `signer` and `store` they come from the `.behest` folder here or above, as do the holder and
 * `profiles.json` where they are not given. Throws `config_missing`, `config_invalid`, `profiles_invalid`, `key_unsafe`, `key_readable`, `trust_invalid`,
 * `policy_missing`, `policy_invalid`, `store_mismatch` and the other `store_…`.
 */
export async function createBehest(config: BehestConfig | LocalConfig = {}): Promise<Behest> {
  const { trust: given, signer, store } = config;
  if (given && signer && store) return createFrom({ ...config, trust: given, signer, store });
  if (given || signer || store)
    throw new BehestError(
      "config_invalid",
      'config_invalid: trust, signer and store go together. Pass all three, or none and have .behest/ from "npx behest init".',
    );
  const local = findLocal();
  if (!local)
    throw new BehestError(
      "config_missing",
      'config_missing: createBehest() found no .behest/ here or above. Run "npx behest init", or pass { trust, signer, store }.',
    );
  const trust = { owner: local.owner, manifest: readManifest(local.manifest) };
  const { manifest } = await trusted(trust);
  keptApart(local.keys, manifest.rung === "local");
  const { trust: _, signer: __, store: ___, ...rest } = config;
  return createFrom({
    trust,
    signer: readKeyFile(local.signer),
    holder: readKeyFile(local.holder),
    store: sqliteStore(local.store),
    ...(existsSync(local.profiles) && { profiles: local.profiles }),
    ...rest,
  });
}

function readManifest(path: string): string {
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
    // To enter is enough: the names of the files are known.
    accessSync(folder, constants.X_OK);
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
