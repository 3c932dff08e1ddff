import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { verifyLog } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { placedOf } from "../../../test/store/open-log.ts";
import { type TestDeployment, testDeployment } from "../../../test/store/deployment.ts";
import type { BehestError } from "../../error.ts";
import type { Begin, Finish, Placed } from "../types.ts";
import { attachTo } from "./attach.ts";
import { openForWriting } from "./file.ts";
import type { Answer, Write } from "./write.ts";
import type { Writer } from "./writer.ts";

let folder: string;
let path: string;
let deployment: TestDeployment;
/** What the writers' clock says. */
let now: number;
const writers: Writer[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-writer-"));
  path = join(folder, "log.db");
  deployment = await testDeployment();
  now = Date.now();
});

afterEach(() => {
  for (const writer of writers.splice(0)) writer.close();
  rmSync(folder, { recursive: true });
});

async function open(db: DatabaseSync = openForWriting(path, 50)): Promise<Writer> {
  const by = { identity: await deployment.identity(), lease: 10_000, clock: () => now };
  const writer = await attachTo(db, path, by);
  writers.push(writer);
  return writer;
}

function only(answers: readonly Answer[]): unknown {
  const [answer] = answers;
  if (answer && "error" in answer) throw answer.error;
  return answer?.value;
}

const begin = (request: Begin): Write => ({ op: "begin", request });
const finish = (request: Finish): Write => ({ op: "finish", request });
const append = (writer: Writer): Placed =>
  only(writer.write([{ op: "append", request: deployment.root() }])) as Placed;

/** Reads what is on disk, as a stranger would, and verifies it. */
async function onDisk(): Promise<{ actions: string[]; entries: number }> {
  const db = new DatabaseSync(path, { readOnly: true });
  const entries = db
    .prepare("SELECT jws FROM entry ORDER BY idx")
    .all()
    .map((row) => row["jws"] as string);
  const { checkpoint } = db.prepare("SELECT checkpoint FROM head").get() as { checkpoint: string };
  const actions = db
    .prepare("SELECT id FROM action ORDER BY id")
    .all()
    .map((row) => row["id"] as string);
  db.close();
  const report = await verifyLog({ entries, checkpoint, owner: deployment.owner });
  expect(report.findings.filter(({ state }) => state !== "not_shown")).toEqual([]);
  return { actions, entries: entries.length };
}

test("a lease is kept while something runs under it, and only then", async () => {
  const writer = await open();
  const delegation = append(writer);
  const other = await open();
  const request = deployment.begin("a", delegation);
  const placed = placedOf(only(writer.write([begin(request)])) as object);
  for (let i = 0; i < 10; i++) {
    now += 5_000;
    writer.tick();
    expect(only(other.write([begin(request)]))).toEqual({ begun: "running" });
  }
  only(writer.write([finish(deployment.finish(request, placed))]));
  const expires = () => {
    const db = new DatabaseSync(path, { readOnly: true });
    const rows = db.prepare("SELECT expires FROM lease ORDER BY id").all();
    db.close();
    return rows[0]!["expires"];
  };
  const before = expires();
  now += 5_000;
  writer.tick();
  expect(expires()).toBe(before);
});

test("a lease that was not renewed in time is over, at its end and not before", async () => {
  const writer = await open();
  const delegation = append(writer);
  const other = await open();
  const request = deployment.begin("a", delegation, { repeatable: false });
  const placed = placedOf(only(writer.write([begin(request)])) as object);
  now += 9_999;
  expect(only(other.write([begin(request)]))).toEqual({ begun: "running" });
  now += 1;
  expect(only(other.write([begin(request)]))).toEqual({
    begun: "ended",
    outcome: "unknown",
    code: "lease_lapsed",
  });
  expect(only(writer.write([finish(deployment.finish(request, placed))]))).toEqual({ finished: "late" });
  await onDisk();
});

test("only the holder of its lease ends an attempt", async () => {
  const writer = await open();
  const delegation = append(writer);
  const other = await open();
  const request = deployment.begin("a", delegation);
  const placed = placedOf(only(writer.write([begin(request)])) as object);
  const outcome = finish(deployment.finish(request, placed));
  expect(only(other.write([outcome]))).toEqual({ finished: "late" });
  expect(only(writer.write([outcome]))).toMatchObject({ finished: "ended" });
});

test("an outcome that comes after its lease but before anybody asked is still taken, once", async () => {
  const writer = await open();
  const delegation = append(writer);
  const request = deployment.begin("a", delegation, { repeatable: false });
  const placed = placedOf(only(writer.write([begin(request)])) as object);
  now += 60_000;
  expect(only(writer.write([finish(deployment.finish(request, placed))]))).toMatchObject({
    finished: "ended",
  });
  const other = await open();
  expect(only(other.write([begin(request)]))).toMatchObject({ begun: "ended", outcome: "done" });
  await onDisk();
});

test("attaching closes the attempts of every lease that is over, and its late holder goes on under another", async () => {
  const writer = await open();
  const delegation = append(writer);
  const requests = ["a", "b"].map((name) => deployment.begin(name, delegation, { repeatable: false }));
  const placed = writer.write(requests.map(begin)).map((answer) => placedOf(only([answer]) as object));
  now += 10_000;
  const other = await open();
  expect(await onDisk()).toMatchObject({ entries: 7 });
  expect(only(other.write([begin(requests[1]!)]))).toMatchObject({ begun: "ended", outcome: "unknown" });
  for (const [i, request] of requests.entries())
    expect(only(writer.write([finish(deployment.finish(request, placed[i]!))]))).toEqual({
      finished: "late",
    });
  const next = deployment.begin("c", delegation, { repeatable: false });
  const begun = placedOf(only(writer.write([begin(next)])) as object);
  expect(only(other.write([begin(next)]))).toEqual({ begun: "running" });
  expect(only(writer.write([finish(deployment.finish(next, begun))]))).toMatchObject({ finished: "ended" });
  await onDisk();
});

test("a lease whose renewal was rolled back is not relied on", async () => {
  const writer = await open();
  const delegation = append(writer);
  now += 10_000;
  const other = await open();
  // The first transaction after the lapse takes a new lease, and is undone.
  const bad = { ...deployment.begin("bad", delegation), args: Symbol("x") as never };
  expect(() => only(writer.write([begin(bad)]))).toThrow("store_failed");
  const request = deployment.begin("a", delegation);
  only(writer.write([begin(request)]));
  expect(only(other.write([begin(request)]))).toEqual({ begun: "running" });
});

test("a clock that is set back makes nothing live again, in this process or the next", async () => {
  const writer = await open();
  const delegation = append(writer);
  const request = deployment.begin("a", delegation, { expires: now + 1_000 });
  now += 2_000;
  const refused = { begun: "refused", code: "delegation_expired" };
  expect(only(writer.write([begin(request)]))).toEqual(refused);
  // Nothing was written meanwhile: this process remembers by itself.
  now -= 2_000;
  expect(only(writer.write([begin(request)]))).toEqual(refused);
  now += 2_000;
  only(writer.write([{ op: "append", request: deployment.denial("d", delegation) }]));
  now -= 60_000;
  expect(only(writer.write([begin(request)]))).toEqual(refused);
  const other = await open();
  expect(only(other.write([begin(request)]))).toEqual(refused);
});

test("content and turns are swept at their time, when the process attaches and afterwards", async () => {
  const rows = (): number[] => {
    const db = new DatabaseSync(path, { readOnly: true });
    const counts = ["content", "spawned", "journal"].map(
      (table) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()!["n"] as number,
    );
    db.close();
    return counts;
  };
  const writer = await open();
  const delegation = append(writer);
  const sealed = new Uint8Array(8);
  const fill = (name: string, until: number): void => {
    const content = [{ id: name, principal: "p1", sealed, until }];
    const turn = deployment.interaction(delegation, name);
    only(
      writer.write([{ op: "append", request: { ...turn, journal: { ...turn.journal!, until }, content } }]),
    );
    const spawn = { action: name, args: "", attempt: 1, repeatable: true, expires: now + 60_000, content };
    only(writer.write([begin(spawn)]));
  };
  fill("a", now + 1_000);
  fill("b", now + 500_000);
  expect(rows()).toEqual([2, 2, 2]);
  now += 1_000;
  await open();
  expect(rows()).toEqual([1, 1, 1]);
  fill("c", now + 1_000);
  now += 120_000;
  writer.tick();
  expect(rows()).toEqual([1, 1, 1]);
});

test("when the disk is full the whole group is refused, nothing of it stays, and no later write is taken", async () => {
  const db = openForWriting(path, 50);
  const writer = await open(db);
  const delegation = append(writer);
  only(writer.write([begin(deployment.begin("before", delegation))]));
  const { page_count: pages } = db.prepare("PRAGMA page_count").get() as { page_count: number };
  // SQLite itself reports SQLITE_FULL then, and rolls back on its own.
  db.exec(`PRAGMA max_page_count = ${pages + 4}`);
  const answers = writer.write(
    Array.from({ length: 64 }, (_, i) => begin(deployment.begin(`${i}`, delegation))),
  );
  expect(answers).toHaveLength(64);
  for (const answer of answers)
    expect((answer as { error: BehestError }).error).toMatchObject({ code: "store_failed" });
  expect(await onDisk()).toMatchObject({ actions: ["before"], entries: 3 });
  db.exec("PRAGMA max_page_count = 100000");
  const [later] = writer.write([begin(deployment.begin("later", delegation))]);
  expect((later as { error: BehestError }).error).toMatchObject({ code: "store_failed" });
  expect(await onDisk()).toMatchObject({ actions: ["before"], entries: 3 });
});

test("while another program keeps the lock, writes are refused after waiting, and taken again afterwards", async () => {
  const writer = await open();
  const delegation = append(writer);
  const locker = new DatabaseSync(path);
  locker.exec("BEGIN IMMEDIATE");
  const request = deployment.begin("a", delegation);
  const [refused] = writer.write([begin(request)]);
  expect((refused as { error: BehestError }).error).toMatchObject({ code: "store_failed" });
  writer.tick();
  locker.exec("ROLLBACK");
  locker.close();
  expect(only(writer.write([begin(request)]))).toMatchObject({ begun: "started" });
  await onDisk();
});

test("a request that SQLite cannot hold fails alone, in a group or by itself", async () => {
  const writer = await open();
  const delegation = append(writer);
  const good = deployment.begin("good", delegation);
  const bad = { ...deployment.begin("bad", delegation), args: Symbol("x") as never };
  const answers = writer.write([begin(good), begin(bad), begin(deployment.begin("too", delegation))]);
  expect(answers.map((answer) => "error" in answer)).toEqual([false, true, false]);
  expect(() => only(writer.write([begin(bad)]))).toThrow("store_failed");
  only(writer.write([begin(deployment.begin("on", delegation))]));
  expect(await onDisk()).toMatchObject({ actions: ["good", "on", "too"] });
});
