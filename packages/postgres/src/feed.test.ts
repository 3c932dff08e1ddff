import type { Feed } from "@behest/core";
import { afterAll, afterEach, expect, test } from "vitest";
import { feedConformance } from "../../core/test/revocation/feed.ts";
import { postgresServer, sql } from "../test/server.ts";
import { postgresFeed } from "./feed.ts";

const server = (await postgresServer())!;
afterAll(() => server?.[Symbol.asyncDispose]());
const open: Feed[] = [];
afterEach(async () => {
  for (const feed of open.splice(0)) await feed.close();
});

function feedAt(url: string): Feed {
  const feed = postgresFeed(url);
  open.push(feed);
  return feed;
}

feedConformance("postgres", async () => {
  const url = await server.url();
  return { feed: feedAt(url), other: feedAt(url) };
});
