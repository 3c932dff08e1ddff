import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError } from "../error.ts";
import { printJson } from "../output.ts";

/** Its frameworks are optional to the command: only here are they loaded. */
export function demo(program: Command): void {
  define(program, {
    name: "demo",
    description: "run agents of both frameworks under one delegation, kill them once, and verify the record",
    example: "behest demo",
  }).action(async ({ json }: { json?: true }) => {
    const { demo: show, runDemo } = await import("../demo/demo.ts").catch((cause: unknown) => {
      throw new CliError(
        "demo_failed",
        "the demo needs: npm install langchain @langchain/core @langchain/langgraph ai zod @behest/langchain @behest/ai-sdk",
        { cause },
      );
    });
    if (json) printJson(await runDemo(() => {}));
    else await show();
  });
}
