import { afterAll, afterEach, beforeEach } from "vitest";
import type { Store } from "../../core/src/store/types.ts";
import { postgresStore } from "../src/store/store.ts";
import { postgresServer } from "./server.ts";

/** Of the test file that imports this; undefined where there is none for this machine. */
export const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose](), 60_000);

/** Of a schema that is empty before each test. */
export let url: string;
const open: Store[] = [];
beforeEach(async () => void (url = await server!.url()));
afterEach(async () => void (await Promise.all(open.splice(0).map((store) => store.close()))));

/** Is closed after the test. */
export function kept(store: Store): Store {
  open.push(store);
  return store;
}

export function storeAt(...given: Parameters<typeof postgresStore>): Store {
  return kept(postgresStore(...given));
}
