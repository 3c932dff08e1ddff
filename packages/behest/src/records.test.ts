import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

const AGENT = join(import.meta.dirname, "../test/agent.ts");
let place: Workplace;
beforeAll(() => {
  place = Workplace.used();
});
afterAll(() => place[Symbol.dispose]());

test("records are printed one a line, as they are or as OCSF events of the same actions", () => {
  const lines = place.must("records", "--format", "jsonl");
  expect(lines).toBe(place.must("records", "--json"));
  const records = parsed(lines);
  const events = parsed(place.must("records", "--format", "ocsf"));
  expect(records.length).toBeGreaterThan(1);
  expect(events.map(({ time, message }) => [time, message])).toEqual(
    records.map(({ at, tool, verdict, outcome }) => [
      at,
      outcome === undefined ? `${tool}: ${verdict}` : `${tool}: ${verdict}, ${outcome}`,
    ]),
  );
  for (const event of events)
    expect(event).toMatchObject({
      class_uid: 6003,
      actor: { user: { name: "alice" } },
      delegation: { uid: expect.any(String), issuer_uid: expect.any(String) },
    });
  const denied = parsed(place.must("records", "--format", "ocsf", "--verdict", "deny", "--limit", "1"));
  expect(denied.map(({ action }) => action)).toEqual(["Denied"]);
});

test("who exports records as events is recorded first, and what is written is what records shows", () => {
  const records = parsed(place.must("records", "--json"));
  const events = parsed(place.must("records", "--as", "dora", "--format", "ocsf"));
  expect(events.map(({ time }) => time)).toEqual(records.map(({ at }) => at));
  for (const event of events) expect(event).toMatchObject({ class_uid: 6003, category_uid: 6 });
  const seen = place.json("accesses") as object[];
  expect(seen).toMatchObject([{ by: "dora", what: "records", principals: ["alice"] }]);
  expect(place.refusal(place.behest("records", "--as", "dora", "--format", "ocsf", "--store", "x.db"))).toBe(
    "usage 2",
  );
  expect(place.json("accesses")).toEqual(seen);
});

test("records are found by the value of an argument that a profile declares as control", () => {
  place.declare({
    send_mail: { effect: "reversible", boundary: "inside", control: ["to"] },
    read_file: { effect: "read", boundary: "inside" },
  });
  place.script(AGENT, "alice.json");
  const found = (...args: string[]): unknown[] =>
    place
      .must("records", "--json", ...args)
      .split("\n")
      .filter(Boolean);
  expect(found("--arg", "to=bob@example.com")).toHaveLength(1);
  expect(found("--arg", "to=bob@example.com", "--principal", "nobody")).toEqual([]);
  expect(found("--arg", "to=bob")).toEqual([]);
  expect(found("--arg", "path=/docs/a.md")).toEqual([]);
  for (const wrong of ["to", "=x"])
    expect(place.refusal(place.behest("records", "--arg", wrong))).toBe("usage 2");
});

function parsed(lines: string): { readonly [name: string]: string | number }[] {
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { [name: string]: string | number });
}
