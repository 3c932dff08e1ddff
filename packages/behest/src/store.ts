import { type Reader, readStore, sqliteStore } from "@behest/core";
import { requireLocal } from "./local.ts";

/** Runs `use` on a store that is only read: the one named, or this folder's. Throws `config_missing`, `store_…`. */
export async function withStore<T>(
  path: string | undefined,
  use: (reader: Reader) => Promise<T>,
): Promise<T> {
  const reader = readStore(sqliteStore(path ?? requireLocal().store));
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}
