import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { EXPECTED } from "../examples/expected.ts";

const root = resolve(import.meta.dirname, "..");
const readme = readFileSync(resolve(root, "README.md"), "utf8");
const block = (after: string): string =>
  new RegExp(`<!-- ${after} -->\n+\`\`\`(?:ts)?\n([^]*?)\`\`\``).exec(readme)?.[1] ?? "";

test("the README shows an example as it stands, and what it prints when it runs", () => {
  expect(block("examples/01-langchain.ts")).toBe(
    readFileSync(resolve(root, "examples/01-langchain.ts"), "utf8").replace(/^\/\/.*\n/, ""),
  );
  expect(block("its output").trimEnd().split("\n")).toEqual(EXPECTED["01-langchain.ts"]);
});

test("every file that the README names is there", () => {
  const named = [...readme.matchAll(/\]\(([^)#]+)[^)]*\)/g)]
    .map(([, path]) => path!)
    .filter((path) => !path.includes("://"));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !existsSync(resolve(root, path)))).toEqual([]);
});
