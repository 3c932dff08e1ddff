import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { storeConformance } from "../../test/store/conformance.ts";
import { memoryStore } from "./memory.ts";
import { sqliteStore } from "./sqlite/store.ts";

const folder = mkdtempSync(join(tmpdir(), "behest-store-"));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

storeConformance("memory", () => memoryStore());
storeConformance("sqlite", () => sqliteStore(join(folder, String(made++), "log.db")));
