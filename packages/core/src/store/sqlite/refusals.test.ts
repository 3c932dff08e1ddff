import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { canonical, generatePrivateJwk, signerOf, toBase64url, utf8 } from "@behest/jws";
import { parseCheckpoint, signCheckpoint } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { objections, openLog } from "../../../test/store/open-log.ts";
import { type TestDeployment, testDeployment } from "../../../test/store/deployment.ts";
import { type Engine, type Placed, engine as engineOf } from "../types.ts";
import { attach } from "./attach.ts";
import { sqliteStore } from "./store.ts";

let folder: string;
let path: string;
let deployment: TestDeployment;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-refusals-"));
  path = join(folder, "log.db");
  deployment = await testDeployment();
});

afterEach(() => rmSync(folder, { recursive: true }));

const OPTIONS = { lease: 10_000, wait: 10_000 };

/** A closed log with so many interactions beyond its first two entries. */
async function makeLog(more: number): Promise<void> {
  const writer = await attach(path, await deployment.identity(), OPTIONS);
  const [root] = writer.write([{ op: "append", request: deployment.root() }]) as [{ value: Placed }];
  const turns = Array.from({ length: more }, (_, i) => deployment.interaction(root.value, `t${i}`));
  writer.write(turns.map(({ entry }) => ({ op: "append", request: { entry } })));
  writer.close();
}

async function add(engine: Engine, delegation: Placed, more: number): Promise<void> {
  const turns = Array.from({ length: more }, (_, i) => deployment.interaction(delegation, `t${i}`));
  await Promise.all(turns.map(({ entry }) => engine.append({ entry })));
}

/** What attaching says; the database must not have changed by one byte where it refuses. */
async function refusal(wait = 10_000): Promise<unknown> {
  const before = existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined;
  try {
    (await attach(path, await deployment.identity(), { ...OPTIONS, wait })).close();
    return undefined;
  } catch (error) {
    if (before) expect(readFileSync(path).equals(before)).toBe(true);
    return error;
  }
}

function edit(sql: string, ...values: (string | number | Uint8Array)[]): void {
  const db = new DatabaseSync(path);
  db.prepare(sql).run(...values);
  db.close();
}

test("the folder is made for its owner alone, the files too", async () => {
  path = join(folder, "made", "here", "log.db");
  const { store } = await openLog(sqliteStore(path), deployment);
  const bits = (name: string): number => statSync(name).mode & 0o777;
  expect(bits(join(folder, "made", "here"))).toBe(0o700);
  for (const suffix of ["", "-wal", "-shm"]) expect(bits(path + suffix)).toBe(0o600);
  await store.close();
  expect(bits(`${path}-head`)).toBe(0o600);
});

test.each([0o640, 0o604, 0o620])("a database that others may open is refused (%o)", async (mode) => {
  await makeLog(0);
  chmodSync(path, mode);
  expect(await refusal()).toMatchObject({ code: "store_unsafe" });
  chmodSync(path, 0o600);
  expect(await refusal()).toBeUndefined();
});

test("other files are left alone: text, another program's database, one of another version", async () => {
  const foreign = { code: "store_foreign" };
  writeFileSync(path, "not a database, but long enough to have a header ".repeat(100), { mode: 0o600 });
  expect(await refusal()).toMatchObject(foreign);
  rmSync(path);
  writeFileSync(path, "", { mode: 0o600 });
  edit("CREATE TABLE theirs (a)");
  expect(await refusal()).toMatchObject(foreign);
  await expect(sqliteStore(path)[engineOf].records({})).rejects.toMatchObject(foreign);
  rmSync(path);
  await makeLog(0);
  edit("PRAGMA user_version = 99");
  expect(await refusal()).toMatchObject(foreign);
});

test("a folder in the place of the database, and one that cannot be made, are one clear error", async () => {
  mkdirSync(path);
  expect(await refusal()).toMatchObject({ code: "store_failed" });
  writeFileSync(join(folder, "file"), "");
  path = join(folder, "file", "log.db");
  expect(await refusal()).toMatchObject({ code: "store_failed" });
});

test("reading needs no keys, makes nothing and changes nothing", async () => {
  const store = sqliteStore(path);
  await expect(store[engineOf].records({})).rejects.toMatchObject({ code: "store_missing" });
  expect(existsSync(path)).toBe(false);
  await makeLog(3);
  const reader = store[engineOf];
  expect(await reader.entries(0, 100)).toHaveLength(5);
  expect(await objections(reader, deployment)).toEqual([]);
  expect(await reader.delegation("root")).toMatchObject({ index: 1 });
  await expect(reader.append(deployment.root())).rejects.toMatchObject({ code: "store_failed" });
  await store.close();
});

test("a lock that is never given back is one clear error", async () => {
  await makeLog(0);
  const locker = new DatabaseSync(path);
  locker.exec("BEGIN IMMEDIATE");
  expect(await refusal(50)).toMatchObject({ code: "store_failed" });
  locker.exec("ROLLBACK");
  locker.close();
});

test("a cut tail is refused, and the message says what to do", async () => {
  await makeLog(1300);
  edit("DELETE FROM entry WHERE idx >= 1204");
  expect(await refusal()).toMatchObject({
    code: "store_mismatch",
    message:
      "store_mismatch: the log has 1,204 entries, the checkpoint says 1,302. Nothing was appended. " +
      'Restore the database, or run "behest verify --store …" to see the first difference.',
  });
});

test.each([
  ["the last entry is gone", "DELETE FROM entry WHERE idx = 6"],
  ["an entry too many", "INSERT INTO entry SELECT 7, nodes, jws FROM entry WHERE idx = 6"],
  ["a subtree's hash was changed", "UPDATE entry SET nodes = zeroblob(96) WHERE idx = 3"],
  ["a hash was cut", "UPDATE entry SET nodes = zeroblob(20) WHERE idx = 6"],
  ["the head is gone", "DELETE FROM head"],
  ["the head is not a checkpoint", "UPDATE head SET checkpoint = 'x'"],
  ["the head is another log's", "UPDATE head SET origin = 'x'"],
  ["the certificate is elsewhere", "UPDATE head SET certificate = 2"],
  ["the manifest is elsewhere", "UPDATE head SET manifest = 99"],
  [
    "the trust entry was swapped",
    "UPDATE entry SET jws = (SELECT jws FROM entry WHERE idx = 1) WHERE idx = 0",
  ],
])("a log that does not agree with itself is refused: %s", async (_, sql) => {
  await makeLog(5);
  // What the tables say must be enough.
  rmSync(`${path}-head`);
  edit(sql);
  expect(await refusal()).toMatchObject({ code: "store_mismatch" });
});

test("a checkpoint by a key that nobody certified is refused, however well its tree fits", async () => {
  await makeLog(5);
  const db = new DatabaseSync(path);
  const { checkpoint } = db.prepare("SELECT checkpoint FROM head").get() as { checkpoint: string };
  db.close();
  const forger = signerOf(await generatePrivateJwk());
  edit("UPDATE head SET checkpoint = ?", signCheckpoint(parseCheckpoint(checkpoint), forger));
  expect(await refusal()).toMatchObject({ code: "store_mismatch" });
});

test("an older database put back in the place of the newer is refused", async () => {
  await makeLog(3);
  const copy = join(folder, "copy");
  copyFileSync(path, copy);
  await makeLog(3);
  copyFileSync(copy, path);
  expect(await refusal()).toMatchObject({ code: "store_mismatch" });
  // So is a new one, and a different one that is as long.
  rmSync(path);
  expect(await refusal()).toMatchObject({ code: "store_mismatch" });
  renameSync(`${path}-head`, copy);
  await makeLog(10);
  renameSync(copy, `${path}-head`);
  expect(await refusal()).toMatchObject({ code: "store_mismatch" });
});

test("a head file that a power cut has torn does not keep the log from opening", async () => {
  await makeLog(3);
  writeFileSync(`${path}-head`, "");
  expect(await refusal()).toBeUndefined();
});

test.each([
  ["cut to half", (size: number) => truncateSync(path, Math.floor(size / 8192) * 4096)],
  ["cut to nothing", () => truncateSync(path, 0)],
  [
    "pages overwritten",
    (size: number) => {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0xa5, 4096, size - 4096));
    },
  ],
])("a damaged database is refused: %s", async (_, damage) => {
  await makeLog(60);
  damage(statSync(path).size);
  expect(await refusal()).toMatchObject({ code: "store_mismatch" });
});

test.each([
  ["replaced by an older one", () => copyFileSync(join(folder, "copy"), join(folder, "new"))],
  ["moved away", undefined],
])("a database that was %s under a running process ends its writing", async (_, make) => {
  await makeLog(2);
  copyFileSync(path, join(folder, "copy"));
  const { engine, delegation, store } = await openLog(sqliteStore(path), deployment);
  await add(engine, delegation, 2);
  if (make) {
    make();
    renameSync(join(folder, "new"), path);
  } else renameSync(path, join(folder, "gone"));
  const mismatch = { code: "store_mismatch" };
  await expect(engine.append(deployment.denial("a", delegation))).rejects.toMatchObject(mismatch);
  await expect(engine.append(deployment.denial("b", delegation))).rejects.toMatchObject(mismatch);
  await store.close();
});

test("a log that was cut behind the back of a running process ends its writing", async () => {
  const { engine, delegation, store } = await openLog(sqliteStore(path), deployment);
  await add(engine, delegation, 4);
  const checkpoint = await engine.checkpoint();
  await add(engine, delegation, 4);
  const db = new DatabaseSync(path);
  db.exec("DELETE FROM entry WHERE idx >= 6");
  db.prepare("UPDATE head SET checkpoint = ?").run(checkpoint);
  db.close();
  const refused = engine.append(deployment.denial("a", delegation));
  await expect(refused).rejects.toMatchObject({ code: "store_mismatch" });
  await store.close();
});

test("the next trust manifest comes into force; an older one or one too many is refused", async () => {
  await makeLog(1);
  const first = await deployment.identity();
  await deployment.replaceEnforcer();
  const second = await deployment.identity();
  const running = sqliteStore(path);
  await running[engineOf].attach(first);
  const delegation = await running[engineOf].append(deployment.root());
  const store = sqliteStore(path);
  await store[engineOf].attach(second);
  expect(await objections(store[engineOf], deployment)).toEqual([]);
  const invalid = { code: "trust_invalid" };
  // Its own enforcer is no longer named: what it went on to sign would verify nowhere.
  await expect(running[engineOf].append(deployment.denial("a", delegation))).rejects.toMatchObject(invalid);
  await running.close();
  await store.close();
  await expect(attach(path, first, OPTIONS)).rejects.toThrow("a newer trust manifest");
  await deployment.nextTrust();
  await deployment.nextTrust();
  expect(await refusal()).toMatchObject(invalid);
});

test("a trust entry that was made to show an older manifest does not bring it back into force", async () => {
  await makeLog(0);
  const older = await deployment.identity();
  await deployment.nextTrust();
  await makeLog(0);
  const db = new DatabaseSync(path);
  const { idx, jws } = db.prepare("SELECT idx, jws FROM entry JOIN head ON idx = manifest").get() as {
    idx: number;
    jws: string;
  };
  db.close();
  const [header, payload, signature] = jws.split(".");
  const forged = { ...JSON.parse(Buffer.from(payload!, "base64url").toString()), manifest: older.manifest };
  edit(
    "UPDATE entry SET jws = ? WHERE idx = ?",
    [header, toBase64url(utf8(canonical(forged))), signature].join("."),
    idx,
  );
  await expect(attach(path, older, OPTIONS)).rejects.toMatchObject({ code: "store_mismatch" });
});
