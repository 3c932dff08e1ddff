import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../../test/workplace.ts";

let place: Workplace;
beforeAll(() => {
  place = Workplace.used();
  place.must("verify", "--export", "log.jsonl");
});
afterAll(() => place[Symbol.dispose]());

test.for(["records", "verify", "coverage"])(
  "%s refuses stores that are none, foreign or cut off",
  (command) => {
    const refused = (file: string, change: (path: string) => void): string =>
      place.after((copy) => change(join(copy, file)), command, "--store", file).refusal;
    expect(refused("nowhere.db", () => {})).toBe("store_missing 1");
    expect(refused("folder.db", (path) => mkdirSync(path))).toBe("store_failed 1");
    expect(refused("alice.json", () => {})).toBe("store_foreign 1");
    expect(refused(".behest/log.db", (path) => truncateSync(path, 8192))).toBe("store_mismatch 1");
    const foreign = (path: string): void => {
      using db = new DatabaseSync(path);
      db.exec("CREATE TABLE t (x)");
    };
    expect(refused("other.db", foreign)).toBe("store_foreign 1");
  },
);

test.for([
  [
    "UPDATE entry SET jws = (SELECT jws FROM entry WHERE idx = 4) WHERE idx = 2",
    "failed  log  root_mismatch",
  ],
  ["UPDATE entry SET jws = 'x' || jws WHERE idx = 3", "#3  failed  entry  malformed_entry"],
  ["DELETE FROM entry WHERE idx = 7", "missing  log  entries_missing"],
  ["INSERT INTO entry SELECT 8, nodes, jws FROM entry WHERE idx = 7", "entries_beyond_checkpoint"],
  ["UPDATE head SET checkpoint = 'x'", "malformed_checkpoint"],
  // Not in the log, but beside it.
  ["UPDATE principal SET subject = 'mallory'", "delegation_mismatch  its token says otherwise: principal"],
  ["UPDATE delegation SET sealed = zeroblob(80)", "content_altered"],
  ["DELETE FROM delegation", "missing  delegation  content_missing"],
  ["DELETE FROM principal", "missing  delegation  content_missing"],
  ["DELETE FROM record", "listing_mismatch  it is not listed"],
  ["UPDATE record SET verdict = 'deny', tool = 'nothing'", "listing_mismatch  the listing says otherwise"],
  ["UPDATE record SET delegation = NULL", "listing_mismatch  the listing says otherwise"],
  ["UPDATE record SET outcome = 'failed'", "listing_mismatch  the listing gives it another outcome"],
  // Also of what has none: a denial that is listed as done.
  [
    "UPDATE record SET outcome = 'done' WHERE outcome IS NULL",
    "listing_mismatch  the listing gives it another outcome",
  ],
  ["UPDATE record SET at = at - 86400000", "listing_mismatch  the listing says otherwise"],
  // Listed as erased.
  ["UPDATE record SET principal = 'nobody'", "listing_mismatch  the listing says otherwise"],
  [
    `INSERT INTO record SELECT 0, action, attempt, session, principal, delegation, tool, verdict, code, at, agent,
      interaction, outcome, ended FROM record LIMIT 1`,
    "listing_mismatch  it is listed, and there is no such action",
  ],
] as const)("%s is found out", ([sql, finding]) => {
  const change = (copy: string): void => {
    using db = new DatabaseSync(join(copy, ".behest/log.db"));
    db.exec(sql);
  };
  const { refusal, stdout } = place.after(change, "verify");
  expect(refusal).toBe("verification_failed 1");
  expect(stdout).toContain(finding);
});

test("a database that was put back is found out by the head beside it", () => {
  const older = (copy: string): void => {
    const head = join(copy, ".behest/log.db-head");
    writeFileSync(head, readFileSync(head, "utf8").replace(/\n\d+\n/, "\n147\n"));
  };
  const { refusal, stdout } = place.after(older, "verify");
  expect(refusal).toBe("verification_failed 1");
  expect(stdout).toContain("147 entries were seen before");
});

test("an exported log that was changed does not verify", () => {
  const refused = (text: string): string => {
    const changed = (copy: string): void => writeFileSync(join(copy, "log.jsonl"), text);
    const files = ["--entries", "log.jsonl", "--checkpoint", "log.jsonl.checkpoint"];
    return place.after(changed, "verify", ...files).refusal;
  };
  const [first, second, ...others] = place.read("log.jsonl").trimEnd().split("\n");
  const text = (...lines: (string | undefined)[]): string => `${lines.join("\n")}\n`;
  expect(refused(text(first, second, ...others))).toBe("");
  expect(refused(text(first, ...others))).toBe("verification_failed 1");
  expect(refused(text(second, first, ...others))).toBe("verification_failed 1");
  expect(refused(text(first, second, ...others.slice(0, -1)))).toBe("verification_failed 1");
  expect(refused("")).toBe("verification_failed 1");
  // Cut off in the middle of a line.
  expect(refused(text(first, second).slice(0, -50))).toBe("malformed_input 1");
  expect(refused("{}\n")).toBe("malformed_input 1");
  expect(refused("\n")).toBe("malformed_input 1");
});

test("an export that is not there is refused", () => {
  const files = ["--entries", "nowhere", "--checkpoint", "log.jsonl.checkpoint"];
  expect(place.after(() => {}, "verify", ...files).refusal).toBe("file_missing 1");
});
