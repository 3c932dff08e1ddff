import type { Store } from "@behest/core";
import { postgresStore } from "@behest/postgres";
import { commitWithoutDisk } from "../../../packages/postgres/test/hasty.ts";
import type { Flaw } from "../flaws.ts";

/** ms. What a process leaves that is killed others take up after this, and not after half a minute. */
const LEASE = 1_000;

/** The store as one process has it. */
export function openPostgres(url: string, flaw: Flaw | undefined): Store {
  if (flaw === "does not wait") commitWithoutDisk();
  const options: object = { lease: LEASE };
  return postgresStore(url, options);
}
