import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError } from "../error.ts";
import { namesModel } from "../demo/environment.ts";
import { printJson } from "../output.ts";

export function demo(program: Command): void {
  define(program, {
    name: "demo",
    description: "run agents of both frameworks under one delegation, kill them once, and verify the record",
    example: "behest demo",
  }).action(async ({ json }: { json?: true }) => {
    const missing = NEEDED.filter((name) => !isHere(name));
    if (missing.length > 0)
      throw new CliError(
        "demo_failed",
        `the demo needs more packages. Run: npm install ${missing.join(" ")}`,
      );
    const { demo: show, runDemo } = await import("../demo/demo.ts");
    if (json) printJson(await runDemo(() => {}));
    else await show();
  });
}

/** The frameworks are optional to the command; a real model needs two more. */
const NEEDED: readonly string[] = [
  "langchain",
  "@langchain/core",
  "@langchain/langgraph",
  "ai",
  "zod",
  "@behest/langchain",
  "@behest/ai-sdk",
  ...(namesModel(process.env) ? ["@langchain/openai", "@ai-sdk/openai-compatible"] : []),
];

function isHere(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
