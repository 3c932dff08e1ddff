import { readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { vectors } from "../test/vector/all.ts";
import { type Verdict, replay } from "../test/vector/replay.ts";
import type { Replay } from "../test/vector/vector.ts";

const folder = resolve(import.meta.dirname, "../vectors");
const names = readdirSync(folder).filter((name) => name !== "README.md");
const read = (name: string): string => readFileSync(resolve(folder, name), "utf8");

test("the files are what the generator makes, each byte of them", () => {
  const made = vectors();
  expect(names).toEqual([...made.keys()].toSorted());
  expect(names.filter((name) => read(name) !== made.get(name))).toEqual([]);
});

test("there are enough of them, each with its own number", () => {
  expect(names.length).toBeGreaterThanOrEqual(150);
  expect(names.filter((name) => !/^[0-9]{3}-[a-z0-9-]+\.json$/.test(name))).toEqual([]);
  expect(new Set(names.map((name) => name.slice(0, 3))).size).toBe(names.length);
});

test("what a replay does not understand fails it", async () => {
  await expect(replay("grants", { parent: {}, child: {}, cousin: {} })).rejects.toThrow(
    "not understood: cousin",
  );
  await expect(replay("dream" as Replay, {})).rejects.toThrow("not understood: dream");
});

interface VectorFile {
  readonly title: string;
  readonly replay: Replay;
  readonly given: object;
  readonly cases: readonly (Verdict & { readonly name: string })[];
}

test.each(names)("%s", async (name) => {
  const { cases, ...file } = JSON.parse(read(name)) as VectorFile;
  expect(Object.keys(file)).toEqual(["title", "replay", "given"]);
  expect(cases.length).toBeGreaterThan(0);
  expect(new Set(cases.map((each) => each.name)).size).toBe(cases.length);
  const verdicts: object[] = [];
  const wanted: object[] = [];
  for (const each of cases) {
    const verdict = await replay(file.replay, { ...file.given, ...each });
    verdicts.push({ case: each.name, ...verdict });
    wanted.push({ case: each.name, ...expected(each, verdict) });
  }
  expect(verdicts).toEqual(wanted);
});

/** What a case says of its verdict, and of the parts that it does not speak of what came of them. */
function expected({ expect: verdict, code, step, hop, wider, result }: Verdict, found: Verdict): Verdict {
  if (verdict === "accept") return { expect: verdict, result: { ...found.result, ...result } };
  return { expect: verdict, code: code!, step, hop: hop ?? found.hop, wider: wider ?? found.wider };
}
