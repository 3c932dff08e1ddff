import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { expect, test } from "vitest";

const docs = resolve(import.meta.dirname, "../docs");

/** Of each attack in docs/attacks.md: the tests that attempt it. */
function attacks(): { readonly attack: string; readonly tests: readonly string[] }[] {
  const table = readFileSync(resolve(docs, "attacks.md"), "utf8");
  return [...table.matchAll(/^\| (.+?) +\| (.+?) +\| (.+?) +\|$/gm)]
    .map(([, attack, , cell]) => ({ attack: attack!, tests: cell!.split("<br>") }))
    .filter(({ attack }) => attack !== "attack" && !attack.startsWith("--"));
}

/** What is wrong with `[file](path): name`. */
function objection(named: string): string | undefined {
  const [, file, path, name] = /^\[([^\]]+)\]\(([^)]+)\): (.+)$/.exec(named) ?? [];
  if (!file || !path || !name) return "names no test";
  if (file !== basename(path)) return "is called otherwise than its file";
  const source = readFileSync(resolve(docs, path), "utf8");
  // What follows in a name are its parameters.
  const quoted = ['"', "`"].some((quote) =>
    [quote, ": %s", ": ${", " (${"].some((end) => source.includes(`${quote}${name}${end}`)),
  );
  return quoted ? undefined : "is not there";
}

test("each attack of docs/attacks.md is attempted by tests that are there", () => {
  const found = attacks();
  expect(found.length).toBeGreaterThan(75);
  const wrong = found.flatMap(({ tests }) =>
    tests.flatMap((named) => {
      const why = objection(named);
      return why === undefined ? [] : [`${named}: ${why}`];
    }),
  );
  expect(wrong).toEqual([]);
});
