import { fork, spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Feed, type FeedHead, type FeedRow, headAfter } from "@behest/core";
import { sha256Text } from "@behest/jws";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { START, follow, rowsOf } from "../../core/src/revocation/feed.ts";
import { feedConformance } from "../../core/test/revocation/feed.ts";
import { Proxy } from "../test/proxy.ts";
import { postgresServer, sql } from "../test/server.ts";
import { postgresFeed } from "./feed.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());
const open: Feed[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const feed of open.splice(0)) await feed.close();
});

function feedAt(url: string): Feed {
  const feed = postgresFeed(url);
  open.push(feed);
  return feed;
}

/** How many connections of feeds that was. */
async function killAll(url: string): Promise<number> {
  const [row] = await sql<{ n: number }>(
    url,
    "SELECT count(pg_terminate_backend(pid))::int AS n FROM pg_stat_activity WHERE application_name = 'behest'",
  );
  return row!.n;
}

const FAILED = expect.objectContaining({ code: "store_failed" }) as Error;

describe.runIf(server)("a feed on PostgreSQL", () => {
  feedConformance("postgres", async () => {
    const url = await server!.url();
    return { feed: feedAt(url), other: feedAt(url) };
  });

  test("connections that are killed in a burst of several processes lose nothing and leave no gap", async () => {
    const url = await server!.url();
    await feedAt(url).read(0);
    const acknowledged = new Set<string>();
    const appenders = ["a", "b", "c", "d"].map((name) => {
      const file = join(import.meta.dirname, "../test/appender.ts");
      const child = fork(file, [url, name], { execArgv: ["--conditions=@behest/source"] });
      return child.on("message", (said: { acknowledged: string }) => acknowledged.add(said.acknowledged));
    });
    const ended = appenders.map((child) => new Promise((resolve) => child.on("exit", resolve)));
    for (let killed = 0; killed <= 20; killed += await killAll(url)) {
      const before = acknowledged.size;
      await expect.poll(() => acknowledged.size, { interval: 5 }).toBeGreaterThan(before + 10);
    }
    for (const child of appenders) child.send("enough");
    expect(await Promise.all(ended)).toEqual([0, 0, 0, 0]);
    const rows: FeedRow[] = [];
    for await (const row of rowsOf(feedAt(url), 0)) rows.push(row);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from(acknowledged, (_, i) => i + 1));
    expect(new Set(rows.map(({ jws }) => jws))).toEqual(acknowledged);
  });

  test("a long feed comes in pages that add up", async () => {
    const url = await server!.url();
    const feed = feedAt(url);
    await feed.read(0);
    const [jws, hashes]: [string[], string[]] = [[], []];
    let head: FeedHead = START;
    for (let i = 0; i < 2_500; i++) {
      jws.push(`${i}.b.c`);
      head = headAfter(head, { digest: sha256Text(jws[i]!) });
      hashes.push(head.hash);
    }
    await sql(
      url,
      "INSERT INTO behest_cut SELECT n, j, d, NULL, h FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS x (j, d, h, n)",
      [jws, jws.map((one) => sha256Text(one)), hashes],
    );
    let at: FeedHead = START;
    const sizes: number[] = [];
    for (;;) {
      const page = await feed.read(at.seq);
      at = follow(at, page, 0);
      sizes.push(page.rows.length);
      if (page.rows.length === 0) break;
    }
    expect(sizes).toEqual([1_000, 1_000, 500, 0]);
    expect(at).toEqual(head);
  });

  test("what PostgreSQL cannot hold is refused, and what comes after it is not", async () => {
    const feed = feedAt(await server!.url());
    await expect(feed.append({ jws: "a\0b" })).rejects.toThrow(FAILED);
    await expect(feed.append({ jws: "a.b.c", until: 0.5 })).rejects.toThrow(FAILED);
    const long = `a.${"b".repeat(2_000_000)}.c`;
    await feed.append({ jws: long });
    expect((await feed.read(0)).rows.map(({ jws }) => jws)).toEqual([long]);
  });

  test("failures name no host, user, password or statement", async () => {
    const url = await server!.url();
    await sql(url, "CREATE TABLE behest_cut (seq bigint)");
    const wrong = new URL(url);
    wrong.password = "secret-word";
    const nobody = new URL("postgres://someone:secret-word@127.0.0.1:1/some-base");
    for (const one of [url, wrong.href, nobody.href]) {
      const error: unknown = await feedAt(one)
        .read(0)
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "store_failed" });
      expect((error as Error).cause).toBeUndefined();
      expect((error as Error).message).toMatch(/\((?:42703|28P01|ECONNREFUSED)\)/);
      expect((error as Error).message).not.toMatch(/secret-word|127\.0\.0\.1|someone|some-base|SELECT/);
    }
    for (const one of [
      "postgres://user:secret-word@host:port/base",
      "postgres://h/?sslrootcert=/nowhere/ca",
      "mysql://user:secret-word@host/base",
      ".behest/log.db",
    ])
      expect(() => postgresFeed(one)).toThrow(expect.objectContaining({ code: "config_invalid" }) as Error);
  });

  test("who may only read obeys, and revokes nothing", async () => {
    const url = await server!.url();
    await feedAt(url).append({ jws: "a.b.c" });
    const schema = url.slice(url.lastIndexOf("%3D") + 3);
    await sql(url, "CREATE ROLE reader LOGIN PASSWORD 'password'");
    await sql(url, `GRANT USAGE ON SCHEMA ${schema} TO reader; GRANT SELECT ON behest_cut TO reader`);
    const reader = feedAt(url.replace("postgres:password@", "reader:password@"));
    expect((await reader.read(0)).rows).toHaveLength(1);
    await expect(reader.append({ jws: "d.e.f" })).rejects.toThrow(/\(42501\)\. Its role lacks the right/);
    expect((await reader.read(0)).rows).toHaveLength(1);
  });

  test("an answer to an earlier question is not taken for one to this", async () => {
    const url = await server!.url();
    await feedAt(url).append({ jws: "a.b.c" });
    using line = await Proxy.to(server!.port);
    const feed = feedAt(url.replace(`:${server!.port}/`, `:${line.port}/`));
    let kept: Buffer | undefined;
    line.answer = (chunk) => (chunk.includes("a.b.c") ? (kept = chunk) : chunk);
    await feed.read(0);
    // The statement is known by now: the same bytes answer any further read.
    await feed.read(0);
    await feedAt(url).append({ jws: "d.e.f" });
    line.ask = (chunk) => (chunk.includes("read\0") ? kept : undefined);
    await expect(feed.read(0)).rejects.toThrow(FAILED);
    line.ask = () => undefined;
    expect((await feed.read(0)).rows).toHaveLength(2);
  });

  test("who listens is woken when its connection was lost and is back, and hears again", async () => {
    // Without the poll, which would wake as well.
    vi.useFakeTimers({ toFake: ["setInterval"] });
    const url = await server!.url();
    let wakes = 0;
    feedAt(url).watch(() => wakes++);
    await expect.poll(() => wakes).toBe(1);
    await killAll(url);
    await expect.poll(() => wakes).toBe(2);
    await feedAt(url).append({ jws: "a.b.c" });
    await expect.poll(() => wakes).toBe(3);
  });

  test("where the URL asks for TLS there is TLS, with a server whose certificate is trusted, or nothing", async ({
    skip,
  }) => {
    if (spawnSync("openssl", ["version"]).status !== 0) {
      console.log("There is no openssl: TLS is not tested.");
      skip();
    }
    const url = `${await server!.url()}&sslmode=verify-full`;
    await expect(feedAt(url).read(0)).rejects.toThrow(FAILED);
    const trusted = await server!.offerTls();
    const feed = feedAt(`${url}&sslrootcert=${trusted}`);
    await expect
      .poll(() =>
        feed.append({ jws: "a.b.c" }).then(
          () => "appended",
          () => "",
        ),
      )
      .toBe("appended");
    await feed.read(0);
    const encrypted =
      "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'behest'";
    // Connections of feeds before it may still be about to end.
    await expect
      .poll(() => sql(url.replace("verify-full", "disable"), encrypted))
      .toEqual([{ ssl: true }, { ssl: true }]);
    await expect(feedAt(url).read(0)).rejects.toThrow(FAILED);
  });

  test("a standby, which may be behind, is not read", async () => {
    const url = await server!.url();
    await feedAt(url).append({ jws: "a.b.c" });
    await using _ = await server!.asStandby();
    await expect(feedAt(url).read(0)).rejects.toThrow(/standby/);
  });
});
