import { readFileSync } from "node:fs";
import { type Reader, type Reading, readStore, sqliteStore } from "@behest/core";
import { type Head, parseCheckpoint } from "@behest/provenance";
import { openLocal } from "./deployment.ts";
import { requireLocal } from "./local.ts";
import { sharedStore } from "./postgres.ts";

/** Runs `use` on a store that is only read: the one named, the one that `BEHEST_STORE` names, or this folder's. `path`: where it is a file. Throws `config_missing`, `store_…`. */
export async function withStore<T>(
  path: string | undefined,
  use: (reader: Reader, path: string | undefined) => Promise<T>,
): Promise<T> {
  const shared = path === undefined ? await sharedStore() : undefined;
  const file = shared ? undefined : (path ?? requireLocal().store);
  const reader = readStore(shared ?? sqliteStore(file!));
  try {
    return await use(reader, file);
  } finally {
    await reader.close();
  }
}

/** The same where the log has to say that `person` was shown it: in this folder's deployment, which it is written to. */
export async function withReading<T>(person: string, use: (reading: Reading) => Promise<T>): Promise<T> {
  const { behest } = await openLocal();
  await using _ = behest;
  return await use(behest.readingAs(person));
}

/** The highest head that the store's own file beside it has kept; no evidence, but a hint where the log is shorter. */
export function headBeside(path: string): Head | undefined {
  try {
    return parseCheckpoint(readFileSync(`${path}-head`, "utf8"));
  } catch {
    return undefined;
  }
}
