import { BehestError } from "@behest/core";
import type { Client } from "pg";
import { MAKING } from "../table.ts";
import { VERSION, migrationFrom } from "./schema.ts";

/** Makes the tables where they are missing or older. Throws `store_foreign` where a later Behest has made them. */
export async function make(client: Client): Promise<void> {
  if ((await versionOf(client)) === VERSION) return;
  await client.query(`BEGIN; ${MAKING}`);
  // Another process may have been first.
  const version = await versionOf(client);
  if (version !== VERSION) await client.query(migrationFrom(version));
  await client.query("COMMIT");
}

/** 0 where there are none. Throws `store_foreign` where a later Behest has made them. */
export async function versionOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ readonly made: boolean }>(
    "SELECT to_regclass('behest_schema') IS NOT NULL AS made",
  );
  if (!rows[0]!.made) return 0;
  const found = await client.query<{ readonly version: number }>("SELECT version::float8 FROM behest_schema");
  const version = found.rows[0]?.version ?? 0;
  if (version > VERSION)
    throw new BehestError(
      "store_foreign",
      "store_foreign: the tables were made by a later version of Behest. Use that one.",
    );
  return version;
}
