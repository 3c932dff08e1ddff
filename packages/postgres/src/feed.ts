import type { Feed } from "@behest/core";
import { BehestError } from "@behest/core";
import { Client, type ClientConfig } from "pg";
import { Link } from "./link.ts";
import { append, read } from "./table.ts";
import { Wakes } from "./wakes.ts";

/** ms. What a client leaves behind that went away, or was suspended, in the middle of something ends by itself. */
const LEFT_BEHIND = 5_000;

/**
 * The feed of revocations that several machines share, in the table `behest_cut` of a PostgreSQL database: for
 * `createBehest({ feed })`. `url` names the primary, as `postgres://user:password@host/database`, with
 * `?sslmode=verify-full` for TLS. Connects when it is first used, and again whenever that was lost. Throws
 * `config_invalid`; what it does rejects with `store_failed`, after 5 s at the latest where nobody answers.
 */
export function postgresFeed(url: string): Feed {
  const config: ClientConfig = {
    connectionString: url,
    application_name: "behest",
    keepAlive: true,
    statement_timeout: LEFT_BEHIND,
    lock_timeout: LEFT_BEHIND,
    idle_in_transaction_session_timeout: LEFT_BEHIND,
  };
  try {
    void new Client(config);
  } catch {
    // Without a cause: it may quote the URL.
    throw new BehestError(
      "config_invalid",
      "config_invalid: this is no URL of a PostgreSQL database, or names a certificate that cannot be read.",
    );
  }
  // What appends may have to wait for others who do; reading and listening do not.
  const [reads, appends] = [new Link(config), new Link(config)];
  const wakes = new Wakes(new Link(config));
  return {
    append: (cut) => appends.run((client) => append(client, cut)),
    read: (after) => reads.run((client) => read(client, after)),
    watch: (wake) => wakes.watch(wake),
    close: async () => void (await Promise.all([reads, appends, wakes].map((each) => each.close()))),
  };
}
