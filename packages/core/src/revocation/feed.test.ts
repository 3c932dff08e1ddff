import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, expect, test } from "vitest";
import { feedConformance } from "../../test/revocation/feed.ts";
import { SqliteFeed, feedPath } from "../store/sqlite/feed.ts";
import type { Feed } from "./feed.ts";
import { MemoryFeed } from "./memory.ts";
import { FeedReader } from "./reader.ts";

const folder = mkdtempSync(join(tmpdir(), "behest-feed-"));
afterAll(() => rmSync(folder, { recursive: true }));

const open: Feed[] = [];
afterEach(async () => {
  for (const feed of open.splice(0)) await feed.close();
});

function sqliteFeed(path: string): SqliteFeed {
  const feed = new SqliteFeed(path, 5000);
  open.push(feed);
  return feed;
}

let made = 0;
const fresh = (): string => join(folder, `${++made}.db`);

feedConformance("memory", async () => {
  const feed = new MemoryFeed();
  return { feed, other: feed };
});
feedConformance("sqlite", async () => {
  const path = fresh();
  return { feed: sqliteFeed(path), other: sqliteFeed(path) };
});

const now = (): number => 2;
const taken = async (): Promise<void> => {};

const MEDDLING: readonly [how: string, sql: string][] = [
  ["a row in the middle is deleted", "DELETE FROM cut WHERE seq = 2"],
  ["the last row is deleted", "DELETE FROM cut WHERE seq = 3"],
  ["all rows are deleted", "DELETE FROM cut"],
  ["a cut is replaced", "UPDATE cut SET jws = 'x.y.z' WHERE seq = 2"],
  ["a cut is replaced with its digest", "UPDATE cut SET jws = 'x.y.z', digest = 'x' WHERE seq = 2"],
  ["a cut is dropped as if its time were over", "UPDATE cut SET jws = NULL, until = 1 WHERE seq = 2"],
  ["a cut is dropped before its time", "UPDATE cut SET jws = NULL WHERE seq = 2"],
  ["the hash is replaced", "UPDATE cut SET hash = 'x' WHERE seq = 3"],
  ["numbers are exchanged", "UPDATE cut SET seq = 9 WHERE seq = 2"],
];

for (const [how, sql] of MEDDLING)
  test(`${how}: whoever has read it before, or reads all of it, finds out`, async () => {
    const path = fresh();
    const feed = sqliteFeed(path);
    for (const jws of ["a.b.c", "d.e.f", "g.h.i"]) await feed.append({ jws });
    const readers = [new FeedReader(feed, now, taken), new FeedReader(feed, now, taken)];
    await readers[0]!.refresh();
    const db = new DatabaseSync(feedPath(path));
    db.exec(sql);
    db.close();
    const came = await Promise.allSettled(readers.map((reader) => reader.refresh()));
    expect(came).toContainEqual({
      status: "rejected",
      reason: expect.objectContaining({ code: "store_mismatch" }),
    });
    expect(readers.some(({ broken, age }) => broken && age === Number.POSITIVE_INFINITY)).toBe(true);
  });
