import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Given, Workplace } from "../test/workplace.ts";

const PAYER = join(import.meta.dirname, "../test/payer.ts");
const DAY = 86_400_000;

let place: Workplace;
afterEach(() => place[Symbol.dispose]());

/** Run by a clock that is so many days behind. */
function daysAgo(days: number): Given {
  const earlier = pathToFileURL(join(import.meta.dirname, "../test/earlier.ts"));
  return { env: { NODE_OPTIONS: `--import=${earlier.href}`, EARLIER_MS: String(days * DAY) } };
}

/** What was made and done twenty days ago. */
beforeEach(() => {
  place = new Workplace();
  place.mustWith(daysAgo(20), "init");
  place.declare({ pay: { effect: "reversible", boundary: "inside" } });
  const what = ["--task", "Pay", "--tool", "pay(*)", "--principal", "alice", "--out", "alice.json"];
  place.mustWith(daysAgo(20), "delegate", ...what);
  const { stdout } = place.nodeWith(daysAgo(20), PAYER, "alice.json");
  expect(stdout.trim()).toBe("paid");
});

const refused = (...args: string[]): string => place.refusal(place.behest(...args));

function keepFor(days: number): void {
  const { manifest } = place.json("trust") as { manifest: object };
  writeFileSync(place.path("trust.json"), JSON.stringify({ ...manifest, retention: days }));
  place.must("trust", "sign", "trust.json");
}

test("what is old goes, every proof still verifies, and verification says so", () => {
  expect(refused("prune", "--before", "8d")).toBe("retained 1");
  keepFor(5);
  expect(place.must("prune", "--before", "8d", "--dry-run")).toMatch(/^would be pruned: 3 entries /);
  expect(place.must("records")).toContain("alice");
  const said = place.must("prune", "--before", "8d");
  expect(said).toMatch(
    /^pruned: 3 entries recorded before .*: 1 actions, 1 outcomes, 0 model turns, 1 delegations\.\n/,
  );
  expect(said).not.toContain("still there");
  expect(place.must("prune", "--before", "8d")).toMatch(/^Nothing recorded before /);
  const verified = place.must("verify", "--export", "log.jsonl");
  expect(verified).toMatch(/entries +\d+, \d+ proven, 3 pruned\n/);
  expect(verified).toMatch(/ pruned +log +entries_pruned +3 of /);
  expect(place.json("verify")).toMatchObject({ ok: true, pruned: 3, counts: { pruning: 1, action: 0 } });
  const { owner } = place.config;
  const files = ["--entries", "log.jsonl", "--checkpoint", "log.jsonl.checkpoint", "--owner", owner];
  expect(place.json("verify", ...files)).toMatchObject({ ok: true, pruned: 3 });
  expect(place.must("records")).toBe("No records.\n");
  expect(refused("inspect", "#1")).toBe("entry_missing 1");
  expect(place.must("inspect", "#0")).toContain("trust entry");
});

test("evidence of a time that was pruned says so, and the report does", () => {
  keepFor(5);
  place.must("prune", "--before", "8d");
  for (const filter of [[], ["--since", "30d"]]) {
    place.must("evidence", "export", ...filter, "--out", `${filter.length}.json`);
    expect(place.must("evidence", "verify", `${filter.length}.json`)).toMatch(
      /3 were pruned[\s\S]*Verified\./,
    );
  }
  place.must("evidence", "report", "0.json", "--out", "all.html");
  expect(place.read("all.html")).toContain("entries_pruned");
  place.must("coverage");
  expect(place.node(PAYER, "alice.json").stderr).toContain("delegation_expired");
});

test("when, and nothing else, is to be said", () => {
  expect(refused("prune")).toBe("usage 2");
  expect(refused("prune", "--before", "yesterday")).toBe("malformed_time 2");
  place.must("hold", "place", "--all", "--reason", "audit");
  keepFor(5);
  expect(refused("prune", "--before", "8d", "--dry-run")).toBe("on_hold 1");
});
