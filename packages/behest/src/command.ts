import type { Command } from "commander";

interface About {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  /** Runs where its group is named without a command. */
  readonly isDefault?: true;
}

/** A command with what every one has: `--json`, and an example in its help. */
export function define(parent: Command, { name, description, example, isDefault }: About): Command {
  return parent
    .command(name, { isDefault: isDefault === true })
    .description(description)
    .option("--json", "print JSON, for programs")
    .addHelpText("after", `\nExample:\n  ${example.replaceAll("\n", "\n  ")}`);
}
