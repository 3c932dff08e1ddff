// npm run test:browser: the tests of the packages that need no Node, in Chromium. Arguments go to vitest.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CHROMIUM } from "./chromium.ts";
import { NODE_ONLY } from "./node-only.ts";

const root = resolve(import.meta.dirname, "../..");
if (!CHROMIUM) {
  console.log("skipped: the tests in Chromium (none is installed; CHROMIUM names another path)");
  process.exit(process.env["CI"] ? 1 : 0);
}
const vitest = resolve(root, "node_modules/.bin/vitest");
const args = ["run", "--config", "test/browser/vitest.config.ts", ...process.argv.slice(2)];
const env = { ...process.env, CHROMIUM };
const { status } = spawnSync(vitest, args, { cwd: root, env, stdio: "inherit" });
for (const [file, reason] of Object.entries(NODE_ONLY)) {
  if (!existsSync(resolve(root, file))) throw new Error(`${file} is gone: take it off the list`);
  console.log(`not in Chromium: ${file} (${reason})`);
}
process.exit(status ?? 1);
