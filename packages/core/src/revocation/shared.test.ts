import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { SharedDeployment, tried } from "../../test/revocation/deployment.ts";
import { BehestError, memoryStore, sqliteStore } from "../index.ts";
import type { Feed, FeedPage } from "./feed.ts";
import { MemoryFeed } from "./memory.ts";

let deployment: SharedDeployment;
beforeAll(async () => void (deployment = await SharedDeployment.make()));
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A feed on the other side of a line that can be cut, stand still, or hand on nothing new. */
class Line implements Feed {
  readonly #feed: Feed;
  state: "whole" | "cut" | "still" | "behind" = "whole";
  #last: FeedPage | undefined;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  append(cut: Parameters<Feed["append"]>[0]): Promise<void> {
    return this.#feed.append(cut);
  }

  async read(after: number): Promise<FeedPage> {
    if (this.state === "cut") throw new BehestError("store_failed", "store_failed: test.");
    if (this.state === "still") return new Promise(() => {});
    if (this.state === "behind" && this.#last) return this.#last;
    return (this.#last = await this.#feed.read(after));
  }

  watch(wake: () => void): () => void {
    return this.#feed.watch(wake);
  }

  close(): Promise<void> {
    return this.#feed.close();
  }
}

/** The same, which wakes nobody. */
function quiet(feed: Feed): Feed {
  return {
    append: (cut) => feed.append(cut),
    read: (after) => feed.read(after),
    watch: () => () => {},
    close: () => feed.close(),
  };
}

const STALE = "revocation_stale";

test("a feed that cannot be read stops what cannot be undone at once, the rest as it gets old, and nobody twice", async () => {
  const feed = new Line(new MemoryFeed());
  await using behest = await deployment.start(memoryStore(), feed);
  const session = await deployment.open(behest, "alice");
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  expect(await tried(session)).toEqual(["done", "done", "done"]);
  feed.state = "cut";
  expect(await tried(session)).toEqual(["done", "done", STALE]);
  vi.setSystemTime(Date.now() + 5_500);
  expect(await tried(session)).toEqual(["done", STALE, STALE]);
  vi.setSystemTime(Date.now() + 25_000);
  expect(await tried(session)).toEqual([STALE, STALE, STALE]);
  expect(warned).toHaveBeenCalledTimes(1);
  feed.state = "whole";
  expect(await tried(session)).toEqual(["done", "done", "done"]);
  warned.mockRestore();
});

test("a feed that does not answer keeps nobody waiting for longer than its answer could be fresh", async () => {
  const feed = new Line(new MemoryFeed());
  await using behest = await deployment.start(memoryStore(), feed);
  const session = await deployment.open(behest, "alice");
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  feed.state = "still";
  const now = tried(session);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await now).toEqual(["done", "done", STALE]);
  await vi.advanceTimersByTimeAsync(2_500);
  const later = tried(session);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await later).toEqual(["done", STALE, STALE]);
  feed.state = "whole";
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await tried(session)).toEqual(["done", "done", "done"]);
  warned.mockRestore();
});

test("an answer that was on its way for long is as old as its question", async () => {
  const feed = new Line(new MemoryFeed());
  await using behest = await deployment.start(memoryStore(), feed);
  const session = await deployment.open(behest, "alice");
  const read = feed.read.bind(feed);
  feed.read = async (after) => {
    const page = await read(after);
    vi.setSystemTime(Date.now() + 4_000);
    return page;
  };
  expect(await tried(session)).toEqual(["done", "done", STALE]);
});

test("what was suspended after it began does not start its body before it has read what came meanwhile", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  for (const state of ["whole", "cut"] as const) {
    const feed = new Line(new MemoryFeed());
    await using other = await deployment.start(memoryStore(), feed);
    // In the moment between the transaction and the body.
    let suspend: (() => Promise<void>) | undefined;
    await using behest = await deployment.start(memoryStore(), quiet(feed), {
      credentials: async () => (await suspend?.(), undefined),
    });
    const [alice, bob] = [await deployment.open(behest, "alice"), await deployment.open(behest, "bob")];
    suspend = async () => {
      suspend = undefined;
      await deployment.revoke(other, "alice");
      feed.state = state;
      vi.setSystemTime(Date.now() + 3_600_000 / 2);
    };
    let ran = 0;
    const act = (session: typeof alice) =>
      session.perform({ tool: "look", args: {} }, async () => void ran++);
    await expect(act(alice)).resolves.toMatchObject({ outcome: "aborted" });
    expect(ran).toBe(0);
    if (state === "whole") await expect(act(bob)).resolves.toMatchObject({ outcome: "done" });
  }
  warned.mockRestore();
});

test("once a process on a store has recorded a cut, no other starts anything under it, however far behind it reads", async () => {
  vi.useRealTimers();
  const folder = mkdtempSync(join(tmpdir(), "behest-shared-"));
  try {
    const feed = new MemoryFeed();
    const behind = new Line(feed);
    const store = sqliteStore(join(folder, "log.db"));
    await using ahead = await deployment.start(store, feed);
    await using other = await deployment.start(sqliteStore(join(folder, "log.db")), behind);
    const [alice, bob] = [await deployment.open(other, "alice"), await deployment.open(other, "bob")];
    behind.state = "behind";
    await deployment.revoke(ahead, "alice");
    expect(await tried(alice)).toEqual(["revoked", "revoked", "revoked"]);
    expect(await tried(bob)).toEqual(["done", "done", "done"]);
    expect(await deployment.verify(store)).toMatchObject({ ok: true, counts: { revocation: 1 } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
