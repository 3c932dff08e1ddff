import { BehestError } from "@behest/core";
import type { Client } from "pg";
import { TENANT_SETTING } from "../tenant.ts";

/**
 * Every row is looked for by its key. A plan that was made while the tables were small must not read the whole of them
 * when they no longer are; and none is worth making twice.
 */
const SETTINGS = {
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
  plan_cache_mode: "force_generic_plan",
  // As bytes are read here.
  bytea_output: "hex",
};

const SET = Object.entries(SETTINGS)
  .map(([setting, value]) => `set_config('${setting}', '${value}', false)`)
  .join(", ");

const HELLO = `
  SELECT set_config('${TENANT_SETTING}', $1, false), ${SET}, pg_is_in_recovery() AS standby,
    pg_backend_pid() AS pid, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
    current_setting('full_page_writes') AS pages,
    (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS above`;

interface Answer {
  readonly standby: boolean;
  readonly pid: number;
  readonly fsync: string;
  readonly commit: string;
  readonly pages: string;
  readonly above: boolean;
}

/**
 * What is said first on each connection: whose rows are meant, and that what is committed is to be on disk. Refuses a
 * standby (`store_failed`), a server that does not wait for its disk, and for a named tenant a role that row-level security
 * does not concern, and a pooler, which hands the settings of one connection to others (`store_unsafe`).
 */
export async function hello(client: Client, tenant: string | undefined): Promise<void> {
  const { rows } = await client.query<Answer>(HELLO, [tenant ?? ""]);
  const { standby, pid, fsync, commit, pages, above } = rows[0]!;
  if (standby)
    throw new BehestError(
      "store_failed",
      "store_failed: this database is a standby, which cannot be written to and may be behind. Name the primary.",
    );
  const off = Object.entries({ fsync, synchronous_commit: commit, full_page_writes: pages }).find(
    ([, value]) => value === "off",
  );
  if (off) throw unsafe(`${off[0]} is off, so PostgreSQL may lose what it has acknowledged. Switch it on`);
  if (tenant !== undefined && above)
    throw unsafe(
      "this role is above row-level security, so tenants are not kept apart. Connect as a role that is neither a superuser nor has BYPASSRLS",
    );
  // What was connected to has said which backend it is; the types of pg do not have it.
  const { processID } = client as Client & { readonly processID?: number };
  if (tenant !== undefined && pid !== processID)
    throw unsafe(
      "a pooler stands before this database, whose connections keep the tenant of others. Connect to the server itself",
    );
  if (commit !== "on" && commit !== "remote_apply") await client.query("SET synchronous_commit = on");
}

function unsafe(what: string): BehestError {
  return new BehestError("store_unsafe", `store_unsafe: ${what}.`);
}
