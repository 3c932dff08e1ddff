import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Reader } from "@behest/core";
import { CodedError, parseJson } from "@behest/jws";
import {
  type EntryPayload,
  type Hidden,
  parseCheckpoint,
  parseEntry,
  parsePayload,
} from "@behest/provenance";
import { CliError } from "../error.ts";
import { unreadable } from "../file.ts";

/** A log as somebody shows it. */
export interface Shown {
  readonly checkpoint: string;
  readonly entries: AsyncIterable<string | Hidden>;
  /** The newest checkpoint that was kept with witnesses' cosignatures. */
  readonly cosigned?: string;
  /** Whether the store has gone on since. */
  readonly moved?: () => Promise<boolean>;
}

/**
 * A store at one moment: its checkpoint, and the entries under it. What a living process appends meanwhile is
 * left out; what stands beyond a checkpoint that did not move is shown, for it belongs to nothing.
 */
export async function snapshot(reader: Reader, heads: readonly number[] = []): Promise<Shown> {
  const checkpoint = await reader.checkpoint();
  return {
    checkpoint,
    entries: entriesUnder(reader, checkpoint, heads),
    moved: async () => (await reader.checkpoint()) !== checkpoint,
  };
}

async function* entriesUnder(
  reader: Reader,
  checkpoint: string,
  heads: readonly number[],
): AsyncGenerator<string | Hidden> {
  const size = sizeOf(checkpoint);
  let index = 0;
  for await (const shown of reader.log(heads)) {
    if (index === size && (await reader.checkpoint()) !== checkpoint) return;
    index += typeof shown === "string" ? 1 : 2 ** shown.level;
    yield shown;
  }
}

function sizeOf(checkpoint: string): number | undefined {
  try {
    return parseCheckpoint(checkpoint).size;
  } catch {
    // Then `verifyLog` refuses it.
    return undefined;
  }
}

/** Entries in a file, one JSON string a line, and subtrees of those that were pruned: what `verify --export` writes. Throws `file_…`, `malformed_input`. */
export async function* entriesIn(path: string): AsyncGenerator<string | Hidden> {
  const input = createReadStream(path, "utf8");
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }))
      yield entryOf(line, ++number);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw unreadable(path, cause);
  } finally {
    input.destroy();
  }
}

/** What an entry says, and its leaf hash. */
export interface ReadEntry {
  readonly hash: string;
  readonly payload: EntryPayload;
}

/** Undefined where it is malformed: that is for `verifyLog` to refuse. */
export function readEntry(jws: string): ReadEntry | undefined {
  try {
    const { hash, payload } = parseEntry(jws);
    return { hash, payload: parsePayload(payload) };
  } catch (error) {
    if (CodedError.isInstance(error)) return undefined;
    throw error;
  }
}

export function lineOf(shown: string | Hidden): string {
  return `${JSON.stringify(shown)}\n`;
}

function entryOf(line: string, number: number): string | Hidden {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch {
    value = undefined;
  }
  if (typeof value === "string") return value;
  // Whether it is a subtree that can stand there is for `verifyLog` to say.
  if (typeof value === "object" && value !== null && "level" in value && "hash" in value)
    return { level: Number(value.level), hash: String(value.hash) };
  throw new CliError("malformed_input", `--entries: line ${number} is not an entry as a JSON string.`);
}
