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
  // Arguments are not kept here: what they were is committed to, and not shown.
  expect(stdout).toMatch(
    /^#\d+ +\S+ \S+ +alice +\S+ +send_mail +permit +ok +done +not shown: grant, policy, content$/m,
  );
  expect(stdout).toMatch(/^#\d+ .* deny +argument_not_granted +- +not shown: grant, content$/m);
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

test("of a log of another owner it says that alone, and of a file that is no evidence what it is not", () => {
  const verify = (file: string, pin = owner) => place.behest("evidence", "verify", file, "--owner", pin);
  const { stdout, stderr } = verify("all.json", "A".repeat(43));
  expect(stdout.match(/^#\d+ +failed .*/gm)).toEqual([expect.stringContaining("owner_mismatch")]);
  expect(stdout).toContain("Not verified. Another owner has signed it");
  expect(stderr).toMatch(/^verification_failed: /);
  expect(verify("alice.json").stderr).toContain("this is no evidence");
  expect(place.refusal(place.behest("inspect", "all.json"))).toBe("malformed_input 1");
});

test("an export of nothing says so", () => {
  const said = place.must("evidence", "export", "--principal", "alise", "--out", "alise.json");
  expect(said).toMatch(/^Wrote alise.json: 0 records, in \d+ entries .*\nNo record is what was asked for/);
  const { records } = place.json("evidence", "export", "--tool", "read_file", "--out", "read.json") as {
    records: number;
  };
  expect(records).toBe((place.must("records", "--tool", "read_file", "--json").match(/\n/g) ?? []).length);
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
