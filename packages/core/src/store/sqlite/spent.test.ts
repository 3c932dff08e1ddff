import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestDeployment, testDeployment } from "../../../test/store/deployment.ts";
import { attachTo } from "./attach.ts";
import { openForWriting } from "./file.ts";
import type { Writer } from "./writer.ts";

let folder: string;
let path: string;
let deployment: TestDeployment;
/** What the writers' clock says. */
let now: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-spent-"));
  path = join(folder, "log.db");
  deployment = await testDeployment();
  now = Date.now();
});
afterEach(() => rmSync(folder, { recursive: true }));

async function open(): Promise<Writer> {
  const by = { identity: await deployment.identity(), lease: 10_000, clock: () => now };
  return attachTo(openForWriting(path, 50), path, by);
}

const spend = (writer: Writer, id: string, until: number): unknown =>
  writer.write([{ op: "spend", id, until }])[0];

/** Reads or changes the file, as a stranger would. */
function inFile<T>(act: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path);
  try {
    return act(db);
  } finally {
    db.close();
  }
}
const ids = (): unknown =>
  inFile((db) =>
    db
      .prepare("SELECT id FROM spent ORDER BY id")
      .all()
      .map(({ id }) => id),
  );

test("ids are swept at their time, and stay too old when the clock is set back, also for the next process", async () => {
  const start = now;
  const writer = await open();
  expect(spend(writer, "a", start + 60_000)).toEqual({ value: true });
  expect(spend(writer, "b", start + 300_000)).toEqual({ value: true });
  now = start + 59_999;
  writer.tick();
  expect(ids()).toEqual(["a", "b"]);
  now = start + 200_000;
  writer.tick();
  expect(ids()).toEqual(["b"]);
  now = start;
  expect(spend(writer, "a", start + 60_000)).toEqual({ value: false });
  writer.close();

  const next = await open();
  expect(spend(next, "a", start + 60_000)).toEqual({ value: false });
  expect(spend(next, "b", start + 300_000)).toEqual({ value: false });
  expect(spend(next, "c", start + 300_000)).toEqual({ value: true });
  next.close();
});

test("a log from before there were spent ids takes them", async () => {
  const writer = await open();
  writer.close();
  inFile((db) => db.exec("DROP TABLE spent"));
  const next = await open();
  expect(spend(next, "a", now + 60_000)).toEqual({ value: true });
  next.close();
});
