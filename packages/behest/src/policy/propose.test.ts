import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPolicies } from "@behest/core/policy";
import { type Json, checkArguments } from "@behest/delegation";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseTools } from "../grant/parse.ts";
import { printTool } from "../grant/print.ts";
import { requestOf } from "./action.ts";
import { declaration, forbidding } from "./cedar-text.ts";
import { propose } from "./propose.ts";

type Args = { readonly [name: string]: Json };

test.for<[name: string, values: Json[], printed: string]>([
  ["one value again and again", ["EUR", "EUR"], "a=EUR"],
  ["a few values again and again", ["EUR", "USD", "EUR", "USD"], "a=EUR|USD"],
  ["one value once", ["EUR"], "a=*"],
  ["addresses of one domain", ["bob@example.com", "eve@Example.com"], "a=@example.com"],
  ["addresses of several", ["bob@example.com", "eve@evil.test"], "a=*"],
  ["paths in one folder", ["/notes/a/b.md", "/notes/ab.md"], "a=/notes/**"],
  ["paths everywhere", ["/notes/a.md", "/etc/passwd"], "a=*"],
  ["pages of one site", ["https://example.com/a", "https://example.com/b?c"], "a=https://example.com/*"],
  ["numbers", [3, 50, 12.5], "a=3..50"],
  ["of several kinds", [3, "x"], "a=*"],
  ["lists", [["a"], ["b"]], "a=*"],
])("%s", ([, values, printed]) => {
  const calls = values.map((a) => ({ a }));
  expect(printTool("t", propose(calls))).toBe(`t(${printed})`);
});

test("an argument that was left out may be left out", () => {
  expect(printTool("t", propose([{ a: 1, b: "x" }, { a: 2 }]))).toBe("t(a=1..2, b?=*)");
});

const value = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "bob@example.com",
    "eve@example.com",
    "/notes/a",
    "/notes/b*",
    "https://a.test/x",
    "a",
    "b",
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.array(fc.string(), { maxLength: 2 }),
  fc.constant(null),
);
const name = fc.oneof(
  fc.constantFrom("to", "amount", "if", "a b", 'q"\\'),
  fc.string({ minLength: 1, maxLength: 5 }),
);
const given = fc.array(fc.dictionary(name, value, { maxKeys: 3 }), {
  minLength: 1,
  maxLength: 6,
}) as fc.Arbitrary<Args[]>;

test("what is proposed as a grant holds what was seen, and reads back as what was printed", () => {
  fc.assert(
    fc.property(given, (calls) => {
      const map = propose(calls.map((args) => JSON.parse(JSON.stringify(args)) as Args));
      for (const args of calls)
        expect(checkArguments({ t: map }, "t", JSON.parse(JSON.stringify(args)) as Args)).toBeUndefined();
      if (Object.keys(map).length > 0) expect(parseTools([printTool("t", map)])["t"]).toEqual(map);
    }),
  );
});

test("what is proposed as a policy type-checks and permits what was seen, whatever it holds", async () => {
  await fc.assert(
    fc.asyncProperty(given, fc.constantFrom("pay", 'x" };//', "fs/read"), async (written, tool) => {
      const calls = written.map((args) => JSON.parse(JSON.stringify(args)) as Args);
      const policy = forbidding(tool, propose(calls), calls) ?? "";
      const folder = mkdtempSync(join(tmpdir(), "behest-suggest-"));
      try {
        writeFileSync(join(folder, "a.cedar"), `permit(principal, action, resource);\n${policy}`);
        writeFileSync(join(folder, "a.cedarschema"), declaration(tool, calls));
        const { faults, policies } = await checkPolicies(folder);
        // Cedar warns of letters that look like others; those are the user's to rename.
        const serious = faults.filter(
          ({ reason }) => !/General Security Profile|mixed scripts|BIDI|confusable/.test(reason),
        );
        expect(serious).toEqual([]);
        for (const args of policies ? calls : [])
          expect({ args, ...policies!.decide(requestOf({ tool, args })) }).toMatchObject({
            args,
            decision: "permit",
          });
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});
