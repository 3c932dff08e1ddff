// What a stranger's npm, bundler and TypeScript will make of each package; and what nothing uses.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const root = new URL("..", import.meta.url);
const bin = (name) => new URL(`node_modules/.bin/${name}`, root).pathname;
let failed = 0;
const run = (title, name, args) => {
  const { status, stdout, stderr } = spawnSync(bin(name), args, { cwd: root, encoding: "utf8" });
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${title}`);
  if (status === 0) return;
  failed++;
  console.log(stdout + stderr);
};
for (const name of readdirSync(new URL("packages", root)).toSorted()) {
  run(`publint ${name}`, "publint", ["--strict", `packages/${name}`]);
  if (name !== "behest") run(`attw ${name}`, "attw", ["--pack", `packages/${name}`, "--profile", "esm-only"]);
}
run("knip", "knip", []);
process.exit(failed === 0 ? 0 : 1);
