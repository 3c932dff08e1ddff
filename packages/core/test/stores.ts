import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { memoryStore } from "../src/store/memory.ts";
import { sqliteStore } from "../src/store/sqlite/store.ts";
import type { Store } from "../src/store/types.ts";

const folder = mkdtempSync(join(tmpdir(), "behest-stores-"));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

/** Where no store is yet; gone when the tests of a file have ended. */
export const freshPath = (): string => join(folder, String(made++), "log.db");

/** An empty store of each kind. */
export const STORES: readonly (readonly [name: string, make: () => Store])[] = [
  ["memory", () => memoryStore()],
  ["sqlite", () => sqliteStore(freshPath())],
];
