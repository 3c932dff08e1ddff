import { readFileSync } from "node:fs";
import { type Reader, type Reading, readStore, sqliteStore } from "@behest/core";
import { type Head, parseCheckpoint } from "@behest/provenance";
import { openLocal } from "./deployment.ts";
import { requireLocal } from "./local.ts";

/** Runs `use` on a store that is only read: the one named, or this folder's. Throws `config_missing`, `store_…`. */
export async function withStore<T>(
  path: string | undefined,
  use: (reader: Reader, path: string) => Promise<T>,
): Promise<T> {
  const store = path ?? requireLocal().store;
  const reader = readStore(sqliteStore(store));
  try {
    return await use(reader, store);
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
