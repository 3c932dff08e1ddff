import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BehestError, readStore, sqliteStore } from "@behest/core";
import { type OutcomeWord, parseCheckpoint, parseEntry, parsePayload, verifyLog } from "@behest/provenance";
import { type Image, restore } from "./disk.ts";

/** One start of a tool's body, as the log has it. */
export interface Attempt {
  readonly tool: string;
  /** Of its `action` entry. */
  readonly index: number;
  /** The entry itself. */
  readonly jws: string;
  outcome?: OutcomeWord;
}

/** What the log says. */
export interface Log {
  readonly entries: readonly string[];
  /** Absent where there is no log yet. */
  readonly checkpoint?: string;
  readonly attempts: readonly Attempt[];
  /** Why it cannot be read. */
  readonly refusal?: string;
}

export const NO_LOG: Log = { entries: [], attempts: [] };

/** Opens what a power cut left, in an empty folder, and reads it. */
export async function readLog(image: Image, root: string): Promise<Log> {
  restore(image, root);
  const path = join(root, "store", "log.sqlite");
  // There only while the file is being made; applying it is for those who may write.
  if (image.has("store/log.sqlite-journal")) applyJournal(path);
  const reader = readStore(sqliteStore(path));
  try {
    const entries: string[] = [];
    for await (const entry of reader.entries()) entries.push(entry);
    return { entries, checkpoint: await reader.checkpoint(), attempts: attemptsOf(entries) };
  } catch (error) {
    if (!BehestError.isInstance(error)) throw error;
    return error.code === "store_missing" ? NO_LOG : { ...NO_LOG, refusal: error.message };
  } finally {
    await reader.close();
  }
}

/** Why a log is not proven to be whole, and to go on where `before` ended; undefined where it is. */
export async function objectionTo(
  { entries, checkpoint }: Log,
  before: Log,
  owner: string,
): Promise<string | undefined> {
  if (checkpoint === undefined) return before.checkpoint === undefined ? undefined : "the log is gone";
  const head = before.checkpoint === undefined ? undefined : parseCheckpoint(before.checkpoint);
  const { ok, findings, size } = await verifyLog({ entries, checkpoint, owner, ...(head && { head }) });
  if (size !== entries.length) return "not all of the log could be read";
  return ok
    ? undefined
    : JSON.stringify(findings.find(({ state }) => state === "failed" || state === "missing"));
}

function attemptsOf(entries: readonly string[]): Attempt[] {
  const attempts: Attempt[] = [];
  const named = new Map<string, Attempt>();
  for (const [index, jws] of entries.entries()) {
    const payload = parsePayload(parseEntry(jws).payload);
    if (payload.type === "action" && payload.verdict === "permit") {
      const attempt = { tool: payload.tool, index, jws };
      attempts.push(attempt);
      named.set(`${payload.attempt} ${payload.action}`, attempt);
    }
    const ended = payload.type === "outcome" && named.get(`${payload.attempt} ${payload.action}`);
    if (ended) ended.outcome = payload.outcome;
  }
  return attempts;
}

function applyJournal(path: string): void {
  const db = new DatabaseSync(path);
  db.prepare("SELECT count(*) FROM sqlite_schema").get();
  db.close();
}
