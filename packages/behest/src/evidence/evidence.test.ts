import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../../test/workplace.ts";

let place: Workplace;
let owner: string;
beforeAll(() => {
  place = Workplace.used();
  owner = (JSON.parse(place.read(".behest/config.json")) as { owner: string }).owner;
  place.must("evidence", "export", "--out", "all.json");
  place.must("evidence", "export", "--tool", "send_mail", "--out", "mail.json");
});
afterAll(() => place[Symbol.dispose]());

test("evidence that was exported verifies from the owner's thumbprint, without the store", () => {
  const away = (copy: string): void => writeFileSync(join(copy, "away.json"), place.read("all.json"));
  const { refusal, stdout } = place.after(away, "evidence", "verify", "away.json", "--owner", owner);
  expect(refusal).toBe("");
  expect(stdout).toMatch(/all shown/);
  expect(stdout).toContain("Verified. Consistent, not proven complete");
  const { stdout: part } = place.after(() => {}, "evidence", "verify", "mail.json", "--owner", owner);
  expect(part).toMatch(/entries +\d+ of \d+ are shown/);
  expect(part).toContain("Verified.");
});

test("as JSON it says of each record what is proven", () => {
  const { stdout } = place.after(() => {}, "evidence", "verify", "mail.json", "--owner", owner, "--json");
  const report = JSON.parse(stdout) as { ok: boolean; records: { states: object }[] };
  expect(report.ok).toBe(true);
  expect(report.records.length).toBeGreaterThan(0);
  for (const { states } of report.records)
    expect(states).toMatchObject({ entry: "proven", authority: "proven" });
});

test("evidence that was changed, is another owner's, or is none is refused", () => {
  const changed = (from: string, to: string) => (copy: string) => {
    const path = join(copy, "all.json");
    writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
  };
  const verify = (change: (copy: string) => void, pin = owner): string =>
    place.after(change, "evidence", "verify", "all.json", "--owner", pin).refusal;
  expect(verify(() => {})).toBe("");
  expect(verify(changed('"alice"', '"mallory"'))).toBe("verification_failed 1");
  expect(verify(changed('"subject"', '"x"'))).toBe("malformed_bundle 1");
  expect(verify((copy) => writeFileSync(join(copy, "all.json"), "{}"))).toBe("malformed_bundle 1");
  expect(verify(() => {}, "A".repeat(43))).toBe("verification_failed 1");
  expect(verify(() => {}, "short")).toBe("usage 2");
});

test("a report is one page of the same, written also where something speaks against it", () => {
  place.must("evidence", "report", "mail.json", "--owner", owner, "--out", "mail.html");
  const page = place.read("mail.html");
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).toContain("✓ Verified");
  expect(page).toContain("send_mail");
  place.behest("evidence", "report", "all.json", "--owner", "A".repeat(43), "--out", "other.html");
  expect(place.read("other.html")).toContain("✗ Not verified");
});

test("nothing is overwritten, and what cannot be meant is told", () => {
  const run = (...args: string[]): string => place.after(() => {}, "evidence", ...args).refusal;
  expect(run("export", "--out", "all.json")).toBe("file_exists 1");
  expect(run("export")).toBe("usage 2");
  expect(run("report", "mail.json")).toBe("usage 2");
  expect(run("report", "nowhere.json", "--out", "nowhere.html")).toBe("file_missing 1");
  expect(run("report", "mail.json", "--out", "mail.json")).toBe("file_exists 1");
  expect(run("verify", "nowhere.json")).toBe("file_missing 1");
  expect(run("export", "--out", "x.json", "--head", "1")).toBe("usage 2");
  expect(run("export", "--out", "x.json", "--store", "nowhere.db")).toBe("store_missing 1");
});
