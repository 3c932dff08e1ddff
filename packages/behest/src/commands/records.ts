import type { ActionRecord, Reading, RecordsFilter } from "@behest/core";
import { parseJson } from "@behest/jws";
import type { Command } from "commander";
import { define } from "../command.ts";
import { usage } from "../error.ts";
import { type Cell, bad, good, print, printJson, printTable } from "../output.ts";
import { withReading, withStore } from "../store.ts";
import { clockTime, moment } from "../time.ts";

const VERDICTS = ["permit", "deny", "ask"] as const;
const FORMATS = ["jsonl", "ocsf"] as const;

interface Options {
  readonly principal?: string;
  readonly agent?: string;
  readonly tool?: string;
  readonly verdict?: (typeof VERDICTS)[number];
  readonly arg?: NonNullable<RecordsFilter["argument"]>;
  readonly since?: number;
  readonly until?: number;
  readonly session?: string;
  readonly limit?: number;
  readonly store?: string;
  readonly as?: string;
  readonly json?: true;
  readonly format?: (typeof FORMATS)[number];
}

export function records(program: Command): void {
  define(program, {
    name: "records",
    description: "what agents did, and at whose behest; with --json one record a line",
    example:
      "behest records --principal alice --since 1h\nbehest records --verdict deny --json\nbehest records --since 1h --format ocsf",
  })
    .option("--principal <subject>", "on whose behalf")
    .option("--agent <name>", "by which agent")
    .option("--tool <name>", "with which tool")
    .option("--verdict <verdict>", VERDICTS.join(", "), (text) => oneOf("--verdict", VERDICTS, text))
    .option(
      "--arg <name=value>",
      "with this value of an argument that the tool's profile declares as control",
      argument,
    )
    .option("--since <time>", "1h (ago), 2026-11-20, 2026-11-20T08:00Z", (text) => moment("--since", text))
    .option("--until <time>", "the same", (text) => moment("--until", text))
    .option("--session <id>", "a session and those spawned below it")
    .option("--limit <count>", "the latest ones only", limit)
    .option("--store <file>", "the store (default: this folder's)")
    .option("--as <person>", "who looks: the log says so before anything is shown")
    .option(
      "--format <format>",
      "a record a line: jsonl (as --json), or ocsf, events of OCSF 1.9.0",
      (text) => oneOf("--format", FORMATS, text),
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { limit: count, store, as, session, json, format, arg, ...rest } = options;
  const filter = { ...rest, ...(arg && { argument: arg }) };
  if (as !== undefined && store !== undefined) throw usage("--as: only this folder's store is written to.");
  const look = (reader: Pick<Reading, "records">): Promise<ActionRecord[]> =>
    reader.records(filter satisfies RecordsFilter);
  const found = await (as === undefined ? withStore(store, look) : withReading(as, look));
  // Of a tenant that has no log (a slip of the pen) it would look as if nothing had been done.
  if (found.length === 0 && as === undefined) await withStore(store, (reader) => reader.checkpoint());
  const ofSession = session === undefined ? found : found.filter((record) => within(record, session));
  const shown = count === undefined ? ofSession : ofSession.slice(-count);
  if (format === "ocsf")
    await withStore(store, async (reader) => {
      for await (const event of reader.ocsf(shown)) printJson(event);
    });
  else if (json || format) for (const record of shown) printJson(record);
  else if (shown.length === 0) print("No records.");
  else
    printTable(["entry", "time", "principal", "agent", "tool", "verdict", "code", "outcome"], shown.map(row));
}

function within({ session }: ActionRecord, id: string): boolean {
  return session === id || session.startsWith(`${id}.`);
}

function row(record: ActionRecord): Cell[] {
  const { index, at, principal, agent, tool, verdict: word, code, outcome, observed } = record;
  // Permitted by nobody, or by a finding that permits nothing: it was only tried out.
  const shadow = word === "permit" && (observed || (code !== "ok" && code !== "break_glass"));
  const judged = shadow
    ? bad(`permit (${observed ? "observed" : "shadow"})`)
    : code === "break_glass"
      ? bad("permit (break-glass)")
      : word === "permit"
        ? good(word)
        : word === "deny"
          ? bad(word)
          : word;
  return [`#${index}`, clockTime(at), principal, agent, tool, judged, code, outcome ?? "-"];
}

function oneOf<T extends string>(option: string, words: readonly T[], text: string): T {
  const known = words.find((word) => word === text);
  if (known !== undefined) return known;
  throw usage(`${option}: one of ${words.join(", ")}.`);
}

/** A value that is JSON is meant as such: `5` is a number, `"5"` a text. */
function argument(text: string): NonNullable<RecordsFilter["argument"]> {
  const at = text.indexOf("=");
  if (at < 1)
    throw usage("--arg: write name=value, such as to=bob@example.com or amount=5 (a text: 'id=\"5\"').");
  const [name, written] = [text.slice(0, at), text.slice(at + 1)];
  try {
    return { name, value: parseJson(written) };
  } catch {
    return { name, value: written };
  }
}

function limit(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw usage("--limit: write a whole number from 1.");
}
