// Before the tests in the browser: Node makes the evidence that they verify there, from the sources as they are.
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    readonly bundle: string;
    readonly owner: string;
  }
}

export default function setup(project: TestProject): void {
  const args = ["--conditions=@behest/source", resolve(import.meta.dirname, "bundle.ts")];
  const made = execFileSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
  const { bundle, owner } = JSON.parse(made) as { bundle: string; owner: string };
  project.provide("bundle", bundle);
  project.provide("owner", owner);
}
