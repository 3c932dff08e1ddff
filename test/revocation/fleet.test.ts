import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stopUnlocked } from "../../packages/core/test/store/stop.ts";
import { postgresServer } from "../../packages/postgres/test/server.ts";
import { Fleet } from "./fleet.ts";

const WORKERS = 16;
/** Its model was asked once, its run ended, and nothing starts any more. */
const STOPPED = { code: "revoked", asked: 1, next: "revoked" };
const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

const FLEETS: readonly { on: string; feed?: () => Promise<string> }[] = [
  { on: "one store" },
  ...(server ? [{ on: "stores of their own, with a feed on PostgreSQL", feed: () => server.url() }] : []),
];

describe.each(FLEETS)("on $on", ({ feed }) => {
  let folder: string;
  let fleet: Fleet;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "behest-fleet-"));
    fleet = await Fleet.start(folder, WORKERS, 6, await feed?.());
  }, 300_000);
  afterAll(async () => {
    await fleet.end();
    rmSync(folder, { recursive: true, force: true });
  });

  test("16 processes stop what was revoked, and nothing else", async () => {
    await fleet.revoke(0);
    for (const stopped of await fleet.stopped(0)) expect(stopped).toMatchObject(STOPPED);
    for (let n = 0; n < WORKERS; n++) expect(fleet.count(n)).toBe(1);
  });

  test("a process that was suspended starts nothing when it wakes", async () => {
    const [sleeper] = fleet.workers;
    if (feed) sleeper!.kill("SIGSTOP");
    else await stopUnlocked(sleeper!, join(folder, "log.db"));
    await fleet.revoke(1);
    const others = Array.from({ length: WORKERS - 1 }, (_, n) => n + 1);
    await fleet.stopped(1, others);
    expect(fleet.count(0)).toBe(1);
    sleeper!.kill("SIGCONT");
    expect(await fleet.stopped(1, [0])).toMatchObject([STOPPED]);
  });

  test("a process that is killed takes no other along", async () => {
    fleet.workers[1]!.kill("SIGKILL");
    await fleet.revoke(2);
    const others = Array.from({ length: WORKERS }, (_, n) => n).filter((n) => n !== 1);
    expect(await fleet.stopped(2, others)).toHaveLength(WORKERS - 1);
    for (const n of others) expect(fleet.count(n)).toBe(3);
  });
});
