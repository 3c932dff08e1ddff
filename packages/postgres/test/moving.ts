import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach } from "vitest";

const all = mkdtempSync(join(tmpdir(), "behest-migrate-"));
afterAll(() => rmSync(all, { recursive: true }));

/** A folder that is empty before each test of the file that imports this, and where its SQLite store is. */
export let folder: string;
export let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(all, "test-"));
  path = join(folder, "log.db");
});
