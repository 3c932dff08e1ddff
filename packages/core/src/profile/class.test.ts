import { grants, is } from "@behest/delegation";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { classOfCall } from "./class.ts";
import { type McpAnnotations, profileFromMcp } from "./mcp.ts";
import { type Profile, classify } from "./profile.ts";

const read: Profile = { effect: "read", boundary: "inside" };
const open = grants({ get: {} }, { get: { url: is.any } as never })["get"] as never;
const held = grants({ get: {} }, { get: { url: is.url("https://example.com/") } as never })["get"] as never;
const boundaryOf = (profile: Profile, url: unknown, granted: never = open): string =>
  classOfCall(undefined, profile, { url } as never, granted).boundary;

test("opening an address is not a harmless read", () => {
  for (const url of [
    "https://evil.test/?q=secret",
    "HTTP://evil.test",
    "//evil.test",
    "\\\\evil.test\\share",
    "http:evil.test",
    " \thttps://evil.test",
    "ht\ntps://evil.test",
    "ftp:evil",
    "///evil.test",
    "//\u{feff}evil.test",
    ["a", "wss://evil.test"],
    // Wherever it stands.
    [["https://evil.test"]],
    { a: [{ b: "https://evil.test" }] },
    { "https://evil.test": 1 },
    "see https://x",
    "<https://evil.test/?q=secret>",
    "[a](//evil.test)",
    "url:https://evil.test",
    "git+http:evil.test",
    "two\n//evil.test",
    "x, \\\\evil.test\\share",
    `${"a/".repeat(9000)}${"/".repeat(9000)} https://evil.test`,
  ])
    expect([url, boundaryOf(read, url)]).toEqual([url, "outside"]);
  for (const plain of [
    "notes/today.md",
    "notes//today.md",
    "./a//b",
    "/notes",
    "a: b",
    "news:today",
    "over http: or not",
    "a // b",
    "c:\\notes",
    "a@example.com",
    5,
    null,
    ["a"],
    { a: { b: ["c"] } },
  ])
    expect([plain, boundaryOf(read, plain)]).toEqual([plain, "inside"]);
});

test("an address is inside where the delegation holds it to an allow-list, or the profile has looked", () => {
  expect(boundaryOf(read, "https://example.com/a", held)).toBe("inside");
  expect(boundaryOf({ ...read, boundary: () => "inside" }, "https://example.com/")).toBe("inside");
  expect(boundaryOf({ ...read, control: [] }, "https://example.com/")).toBe("inside");
  // A control of which nothing was given may be a slip of the pen.
  expect(boundaryOf({ ...read, control: ["path"] } as never, "https://example.com/")).toBe("outside");
  // What is only searched for, where the profile names what steers.
  const search = { query: "who wrote https://example.com/", in: "notes" };
  const searched = (profile: Profile): string => classOfCall(undefined, profile, search, open).boundary;
  expect([searched({ ...read, control: ["in"] } as never), searched(read)]).toEqual(["inside", "outside"]);
  expect(boundaryOf({ ...read, effect: "reversible" }, "https://example.com/")).toBe("inside");
});

const hints = fc.record(
  {
    readOnlyHint: fc.boolean(),
    destructiveHint: fc.boolean(),
    idempotentHint: fc.boolean(),
    openWorldHint: fc.boolean(),
  },
  { requiredKeys: [] },
);
const EFFECTS = ["read", "reversible", "irreversible"] as const;
const BOUNDARIES = ["inside", "outside"] as const;

test("a server's hints make a class stricter, never looser", () => {
  fc.assert(
    fc.property(
      hints,
      fc.constantFrom(...EFFECTS),
      fc.constantFrom(...BOUNDARIES),
      fc.boolean(),
      (annotations, effect, boundary, asked) => {
        const declared: Profile = asked
          ? { effect: () => effect, boundary: () => boundary }
          : { effect, boundary };
        const found = classify(profileFromMcp(annotations, declared), {});
        expect(found.declared).toBe(true);
        expect(EFFECTS.indexOf(found.effect)).toBeGreaterThanOrEqual(EFFECTS.indexOf(effect));
        expect(BOUNDARIES.indexOf(found.boundary)).toBeGreaterThanOrEqual(BOUNDARIES.indexOf(boundary));
      },
    ),
  );
});

test.for<[McpAnnotations, string, string]>([
  [{ destructiveHint: true }, "irreversible", "inside"],
  [{ readOnlyHint: true, destructiveHint: true }, "irreversible", "inside"],
  [{ readOnlyHint: false }, "reversible", "inside"],
  [{ openWorldHint: true }, "read", "outside"],
  [{ readOnlyHint: true, openWorldHint: false }, "read", "inside"],
  [{}, "read", "inside"],
])("what a hint does to a harmless read: %j", ([annotations, effect, boundary]) => {
  expect(classOfCall({ metadata: { annotations } }, read, {}, undefined)).toMatchObject({ effect, boundary });
});

test("without a declared profile a hint makes nothing harmless", () => {
  const annotations = { readOnlyHint: true, destructiveHint: false, openWorldHint: false };
  expect(profileFromMcp(annotations)).toBeUndefined();
  expect(classOfCall({ metadata: { annotations } }, undefined, {}, undefined)).toEqual({
    effect: "irreversible",
    boundary: "outside",
    declared: false,
  });
});

test("hints that are none, and a profile that answers anything else, change nothing", () => {
  const hostile = {
    get metadata(): never {
      throw new Error("x");
    },
  };
  for (const definition of [hostile, {}, { metadata: null }, { metadata: { annotations: "destructive" } }])
    expect(classOfCall(definition, read, {}, undefined)).toMatchObject({
      effect: "read",
      boundary: "inside",
    });
  const invalid = { effect: () => "harmless", boundary: "inside" } as never;
  const destructive = { metadata: { annotations: { destructiveHint: true, openWorldHint: true } } };
  expect(classOfCall(destructive, invalid, {}, undefined).invalid).toBe(true);
});
