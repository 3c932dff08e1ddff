import type { Feed } from "@behest/core";
import type { ClientConfig } from "pg";
import { configOf } from "./config.ts";
import { Link, type Terms } from "./link.ts";
import { append, read, sweep } from "./table.ts";
import { Wakes } from "./wakes.ts";

/**
 * The feed of revocations that several machines share, in the table `behest_cut` of a PostgreSQL database: for
 * `createBehest({ feed })`. `url` names the primary, as `postgres://user:password@host/database`, with
 * `?sslmode=verify-full` for TLS. Connects when it is first used, and again whenever that was lost. Throws
 * `config_invalid`; what it does rejects with `store_failed`, after 5 s at the latest where nobody answers.
 */
export function postgresFeed(url: string): Feed {
  return feedAt(configOf(url));
}

/** `ready`: what is done first on each of its connections. */
export function feedAt(config: ClientConfig, ready: NonNullable<Terms["ready"]> = async () => {}): Feed {
  const terms = { of: "the feed of revocations", ready };
  // What appends may have to wait for others who do; reading and listening do not.
  const [reads, appends] = [new Link(config, terms), new Link(config, terms)];
  const wakes = new Wakes(new Link(config, terms));
  return {
    append: (cut) => appends.run((client) => append(client, cut)),
    read: (after) => reads.run((client) => read(client, after)),
    sweep: () => appends.run(sweep),
    watch: (wake) => wakes.watch(wake),
    close: async () => void (await Promise.all([reads, appends, wakes].map((each) => each.close()))),
  };
}
