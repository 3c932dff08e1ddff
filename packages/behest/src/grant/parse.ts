import type { AatTools, ConstraintMap } from "@behest/delegation";
import { CodedError } from "@behest/jws";
import { CliError, usage } from "../error.ts";
import { readRule } from "./rule.ts";
import { Scanner } from "./scanner.ts";

/*
 * What one --tool says (rules: see rule.ts). Spaces may stand around "(", "=", "|", "," and ")".
 *
 *   tool = name "(" args ")"
 *   args = "*" / arg *("," arg) ["," "*"]     "*": any other arguments
 *   arg  = name ["?"] "=" rule                "?": may be left out
 *   name = 1*(letters, digits, "_" "." ":" "/" "-") / JSON string
 *
 * An argument that is not named is forbidden. So a bare name says nothing about its arguments, and "name()"
 * would have to mean "none", which tokens cannot say (there an empty set of rules means any): both are refused.
 */
const NAME = /[A-Za-z0-9_.:/-]+/y;
const FORMS = "write name(argument=rule, …) for these arguments, or name(*) for any arguments";

export interface ToolGrant {
  readonly tool: string;
  readonly arguments: ConstraintMap;
}

/** Reads one `--tool`; throws `malformed_tool` with the column. */
export function parseTool(text: string): ToolGrant {
  const scanner = new Scanner(text);
  scanner.spaces();
  const tool = readName(scanner, "the tool's name");
  scanner.spaces();
  if (!scanner.eat("(")) scanner.fail(`a tool alone does not say which arguments: ${FORMS}`);
  scanner.spaces();
  if (scanner.peek(")")) scanner.fail(`no argument is named: ${FORMS}`);
  const map = readArguments(scanner);
  scanner.spaces();
  if (!scanner.done) scanner.fail('expected nothing after ")"');
  return { tool, arguments: map };
}

/** All `--tool` options of a command; each tool once. Throws `malformed_tool` with the place. */
export function parseTools(texts: readonly string[]): AatTools {
  const tools = new Map<string, ConstraintMap>();
  for (const [i, text] of texts.entries()) {
    const { tool, arguments: map } = located(`--tool ${i + 1}`, () => parseTool(text));
    if (tools.has(tool))
      throw usage(`--tool ${i + 1}: a tool is named twice. Put its arguments into one --tool.`);
    tools.set(tool, map);
  }
  return Object.fromEntries(tools);
}

function located<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!CodedError.isInstance(error) || error.code !== "malformed_tool") throw error;
    throw new CliError("malformed_tool", `${place}, ${error.message}. See "behest delegate --help".`);
  }
}

function readArguments(scanner: Scanner): ConstraintMap {
  const map = new Map<string, ConstraintMap[string]>();
  do {
    scanner.spaces();
    const column = scanner.column;
    if (scanner.eat("*")) {
      map.set("*", { constraint_type: "wildcard" });
      scanner.spaces();
      scanner.expect(")", 'after "*", which comes last');
      return Object.fromEntries(map);
    }
    const name = readName(scanner, "an argument's name");
    if (name === "*") scanner.fail('an argument cannot be called "*"', column);
    if (map.has(name)) scanner.fail("an argument is named twice", column);
    const optional = scanner.eat("?");
    scanner.spaces();
    scanner.expect("=", "after an argument's name");
    scanner.spaces();
    map.set(name, readRule(scanner, optional));
    scanner.spaces();
  } while (scanner.eat(","));
  scanner.expect(")", "or , after a rule");
  return Object.fromEntries(map);
}

function readName(scanner: Scanner, what: string): string {
  const name = scanner.peek('"') ? String(scanner.json()) : scanner.run(NAME);
  return name === "" ? scanner.fail(`expected ${what}`) : name;
}
