import type { Store } from "@behest/core";
import { postgresStore } from "@behest/postgres";
import { Client } from "pg";
import type { Flaw } from "../flaws.ts";

/** ms. What a process leaves that is killed others take up after this, and not after half a minute. */
const LEASE = 1_000;

/** The store as one process has it. */
export function openPostgres(url: string, flaw: Flaw | undefined): Store {
  if (flaw === "does not wait") commitWithoutDisk();
  const options: object = { lease: LEASE };
  return postgresStore(url, options);
}

const BEGIN = /BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;/;

/** From now on no transaction of this process is on the disk when it is answered. */
function commitWithoutDisk(): void {
  // oxlint-disable-next-line typescript/unbound-method
  const query = Client.prototype.query as (this: Client, text: unknown, ...rest: unknown[]) => unknown;
  Object.assign(Client.prototype, {
    query(this: Client, text: unknown, ...rest: unknown[]) {
      const bent =
        typeof text === "string" ? text.replace(BEGIN, "$& SET LOCAL synchronous_commit = off;") : text;
      return query.call(this, bent, ...rest);
    },
  });
}
