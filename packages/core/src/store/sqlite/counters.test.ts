import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestDeployment, testDeployment } from "../../../test/store/deployment.ts";
import type { Charge, Placed } from "../types.ts";
import { attachTo } from "./attach.ts";
import { openForWriting } from "./file.ts";
import type { Writer } from "./writer.ts";

let folder: string;
let path: string;
let deployment: TestDeployment;
/** What the writers' clock says. */
let now: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-counters-"));
  path = join(folder, "log.db");
  deployment = await testDeployment();
  now = Date.now();
});
afterEach(() => rmSync(folder, { recursive: true }));

async function open(): Promise<Writer> {
  const by = { identity: await deployment.identity(), lease: 10_000, clock: () => now };
  return attachTo(openForWriting(path, 50), path, by);
}

const place = { hash: "A".repeat(43) } as Placed;
function begin(writer: Writer, action: string, charge: Charge): unknown {
  const request = deployment.begin(action, place, { charges: [charge], expires: charge.until });
  const [answer] = writer.write([{ op: "begin", request }]);
  if (answer && "error" in answer) return answer.error.code;
  const { begun, code = begun } = answer!.value as { begun: string; code?: string };
  return code;
}

/** Reads or changes the file, as a stranger would. */
function inFile(sql: string, ...values: SQLInputValue[]): unknown[] {
  const db = new DatabaseSync(path);
  try {
    return db.prepare(sql).all(...values);
  } finally {
    db.close();
  }
}
const held = (): unknown =>
  inFile("SELECT id, held FROM counter ORDER BY id").map((row) => Object.values(row!));

test("counters are swept when their token has expired, and a clock that is set back does not begin them anew", async () => {
  const start = now;
  const writer = await open();
  const [a, b] = [
    { counter: "a", add: "1", most: "1", until: start + 60_000 },
    { counter: "b", add: "0.5", most: "1", until: start + 300_000 },
  ];
  expect(begin(writer, "1", a)).toBe("started");
  expect(begin(writer, "2", b)).toBe("started");
  now = start + 59_999;
  writer.tick();
  expect(held()).toEqual([
    ["a", "1"],
    ["b", "0.5"],
  ]);
  now = start + 200_000;
  writer.tick();
  expect(held()).toEqual([["b", "0.5"]]);
  now = start;
  expect(begin(writer, "3", a)).toBe("delegation_expired");
  writer.close();

  const next = await open();
  expect(begin(next, "4", a)).toBe("delegation_expired");
  const [answer] = next.write([{ op: "append", request: { entry: "{}", charge: a } }]);
  expect(answer).toMatchObject({ error: { code: "fan_out_spent" } });
  expect(begin(next, "5", b)).toBe("started");
  expect(begin(next, "6", b)).toBe("budget_spent");
  next.close();
});

test("a counter that a longer-lived token shares is kept as long as that", async () => {
  const writer = await open();
  const charge = { counter: "c", add: "1", most: "2", until: now + 1_000 };
  expect(begin(writer, "1", charge)).toBe("started");
  expect(begin(writer, "2", { ...charge, until: now + 500_000 })).toBe("started");
  now += 2_000;
  writer.tick();
  expect(begin(writer, "3", { ...charge, until: now + 400_000 })).toBe("budget_spent");
  writer.close();
});

test("a counter that cannot be read denies", async () => {
  const writer = await open();
  const charge = { counter: "c", add: "1", most: "10", until: now + 60_000 };
  expect(begin(writer, "1", charge)).toBe("started");
  for (const text of ["", "-100", "many"]) {
    inFile("UPDATE counter SET held = ?", text);
    expect(begin(writer, text, charge)).toBe("store_failed");
  }
  inFile("UPDATE counter SET held = '9'");
  expect(begin(writer, "2", charge)).toBe("started");
  inFile("DROP TABLE counter");
  expect(begin(writer, "3", charge)).toBe("store_failed");
  writer.close();
});
