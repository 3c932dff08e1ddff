import { readFileSync } from "node:fs";
import { type Behest, type Feed, createBehest, readKeyFile, sqliteStore } from "@behest/core";
import { readManifest, requireLocal } from "./local.ts";
import { requirePostgres, sharedStore } from "./postgres.ts";

/** This folder's deployment, for a person's side: it runs no agent. */
export interface OwnDeployment {
  readonly behest: Behest;
  /** Folder of the keys that agents must not read. */
  readonly keys: string;
}

/** Throws `config_missing`, `config_invalid`, and what `createBehest` throws. */
export async function openLocal(): Promise<OwnDeployment> {
  const local = requireLocal();
  // Refused here, it is told as everywhere else in the command.
  await readManifest(local);
  const behest = await createBehest({
    trust: { owner: local.owner, manifest: readFileSync(local.manifest, "utf8") },
    signer: readKeyFile(local.signer),
    store: (await sharedStore()) ?? sqliteStore(local.store),
    policy: "no-agents",
    ...(await sharedFeed()),
  });
  return { behest, keys: local.keys };
}

/** The feed that other machines share with this one. Its URL has a password in it, so no option names it. */
export async function sharedFeed(): Promise<{ readonly feed?: Feed }> {
  const url = process.env["BEHEST_FEED"];
  if (!url) return {};
  const { postgresFeed } = await requirePostgres("BEHEST_FEED");
  return { feed: postgresFeed(url) };
}
