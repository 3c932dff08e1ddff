import { readFileSync } from "node:fs";
import { type Behest, createBehest, readKeyFile, sqliteStore } from "@behest/core";
import type { Manifest } from "@behest/provenance";
import { readManifest, requireLocal } from "./local.ts";

/** This folder's deployment, for a person's side: it runs no agent. */
export interface OwnDeployment {
  readonly behest: Behest;
  readonly manifest: Manifest;
  /** Folder of the keys that agents must not read. */
  readonly keys: string;
}

/** Throws `config_missing`, `config_invalid`, and what `createBehest` throws. */
export async function openLocal(): Promise<OwnDeployment> {
  const local = requireLocal();
  // Refused here, it is told as everywhere else in the command.
  const manifest = await readManifest(local);
  const behest = await createBehest({
    trust: { owner: local.owner, manifest: readFileSync(local.manifest, "utf8") },
    signer: readKeyFile(local.signer),
    store: sqliteStore(local.store),
  });
  return { behest, manifest, keys: local.keys };
}
