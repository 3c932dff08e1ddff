import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

let place: Workplace;
beforeAll(() => {
  place = Workplace.used();
});
afterAll(() => place[Symbol.dispose]());

test.for([
  [["frobnicate"], /unknown command frobnicate\. See "behest --help"/],
  [["records", "--frobnicate"], /unknown option --frobnicate\. See "behest records --help"/],
  [["records", "--princpal", "x"], /Did you mean --principal/],
  [["records", "extra"], /too many arguments/],
  [["records", "--verdict", "maybe"], /--verdict: one of permit, deny, ask/],
  [["records", "--limit", "0"], /--limit/],
  [["records", "--format", "xml"], /--format: one of jsonl, ocsf/],
  [["delegate", "--tool", "a(*)"], /--task/],
  [["delegate", "--task", "t"], /--tool/],
  [["delegate", "--task"], /argument missing/],
  [["delegate", "--task", "t", "--tool", "a(*)", "--max-depth", "9"], /--max-depth/],
  [["delegate", "--task", "t", "--tool", "a(*)", "--tool", "a(b=1)"], /--tool 2/],
  [["derive"], /--tool/],
  [["inspect"], /missing required argument/],
  [["verify", "--owner", "short"], /--owner/],
  [["verify", "--head", "12"], /--head/],
  [["verify", "--entries", "log.jsonl"], /--checkpoint/],
  [["init", "--keys", "inside"], /--keys/],
  [["trust", "hide", "it"], /too many arguments/],
] as const)("%j is a usage error", ([args, message]) => {
  const before = place.listing;
  const ran = place.behest(...args);
  expect(place.refusal(ran)).toBe("usage 2");
  expect(ran.stderr).toMatch(message);
  expect(ran.stdout).toBe("");
  expect(place.listing).toEqual(before);
});

test("what was typed in the wrong place is not repeated: it may be a token", () => {
  const token = place.tokens[0]!;
  const misplaced = [[token], ["records", token], ["records", `--since=${token}`], ["records", `--${token}`]];
  for (const args of [...misplaced, [`--x=${token}`], ["delegate", "--task", "t", "--tool", token]])
    expect(place.refusal(place.behest(...args))).toMatch(/^(?:usage|malformed_tool|malformed_time) 2$/);
});

test("a --tool that is malformed is refused with its column, and nothing is written", () => {
  for (const tool of ["x", "x(a=1.0)", "x(a="]) {
    const ran = place.behest("delegate", "--task", "t", "--tool", tool, "--out", "never.json");
    expect(place.refusal(ran)).toBe("malformed_tool 2");
    expect(ran.stderr).toMatch(/--tool 1, column \d+: /);
  }
  expect(place.listing.join()).not.toContain("never");
});

test("times that are none are refused", () => {
  for (const args of [
    ["delegate", "--task", "t", "--tool", "a(*)", "--expires=1w"],
    ["records", "--since", "yesterday"],
  ])
    expect(place.refusal(place.behest(...args))).toBe("malformed_time 2");
});

test("every command has an example in its help", () => {
  const names = [
    "init",
    "trust show",
    "keys list",
    "keys new",
    "delegate",
    "derive",
    "inspect",
    "records",
    "verify",
    "coverage",
    "policy check",
    "policy explain",
    "policy test",
    "policy suggest",
  ];
  for (const name of names)
    expect(place.must(...name.split(" "), "--help")).toMatch(/--json[\s\S]*Example:\n  behest /);
  expect(place.must("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(place.behest()).toMatchObject({
    status: 2,
    stdout: expect.stringContaining("Usage: behest") as string,
  });
});

test.each([
  ["approve", "-3ZNfFaPZ4r1-DnBBMjEoW5cIrOQWpsh4OZO0kgjJKU"],
  ["approve", "--ZNfFaPZ"],
  ["inspect", "-hVNfFaPZ4r1-DnBBMjEoW5cIrOQWpsh4OZO0kgjJKU"],
] as const)("%s takes an id that begins with a hyphen for what it is", (command, id) => {
  const ran = place.behest(command, id, "--json");
  expect([ran.status, ran.stderr]).toEqual([1, expect.not.stringContaining("option")]);
  expect(ran).toEqual(place.behest(command, "--json", "--", id));
});

test("what an option wants is not taken from it", () => {
  const ran = place.behest(
    "revoke",
    "--holder",
    "-3ZNfFaPZ4r1-DnBBMjEoW5cIrOQWpsh4OZO0kgjJKU",
    "--reason",
    "r",
  );
  expect([ran.status, ran.stderr]).toEqual([0, expect.any(String)]);
});
