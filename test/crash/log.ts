import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BehestError, type Store, readStore, sqliteStore } from "@behest/core";
import { type OutcomeWord, parseCheckpoint, parseEntry, parsePayload, verifyLog } from "@behest/provenance";
import { saidIn } from "./decision.ts";
import { type Image, restore } from "./disk.ts";

/** One start of a tool's body, as the log has it. */
export interface Attempt {
  readonly tool: string;
  /** Of its `action` entry. */
  readonly index: number;
  /** The entry itself. */
  readonly jws: string;
  readonly action: string;
  /** Entries of the approvals that it says it spends. */
  readonly spends: readonly string[];
  outcome?: OutcomeWord;
}

/** What a person has decided on a call that waits, as the log has it. */
export interface Decision {
  readonly tool: string;
  readonly action: string;
  readonly index: number;
  /** Its entry, and the hash of that. */
  readonly jws: string;
  readonly hash: string;
  /** What the person signed. */
  readonly signed: string;
  readonly says: "approve" | "deny";
  /** Thumbprint. */
  readonly key: string;
}

/** What the log says. */
export interface Log {
  readonly entries: readonly string[];
  /** Absent where there is no log yet. */
  readonly checkpoint?: string;
  readonly attempts: readonly Attempt[];
  /** Tools that persons were asked for. */
  readonly asked: ReadonlySet<string>;
  readonly decisions: readonly Decision[];
  /** Why it cannot be read. */
  readonly refusal?: string;
}

export const NO_LOG: Log = { entries: [], attempts: [], asked: new Set(), decisions: [] };

/** Opens what a power cut left, in an empty folder, and reads it. */
export async function readLog(image: Image, root: string): Promise<Log> {
  restore(image, root);
  const path = join(root, "store", "log.sqlite");
  // There only while the file is being made; applying it is for those who may write.
  if (image.has("store/log.sqlite-journal")) applyJournal(path);
  return logIn(sqliteStore(path));
}

export async function logIn(store: Store): Promise<Log> {
  const reader = readStore(store);
  try {
    const entries: string[] = [];
    for await (const entry of reader.entries()) entries.push(entry);
    return { entries, checkpoint: await reader.checkpoint(), ...actionsIn(entries) };
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

function actionsIn(entries: readonly string[]): Pick<Log, "attempts" | "asked" | "decisions"> {
  const attempts: Attempt[] = [];
  const decisions: Decision[] = [];
  const named = new Map<string, Attempt>();
  /** Tools by the action that waits. */
  const asks = new Map<string, string>();
  for (const [index, jws] of entries.entries()) {
    const entry = parseEntry(jws);
    const payload = parsePayload(entry.payload);
    if (payload.type === "action" && payload.verdict === "ask") asks.set(payload.action, payload.tool);
    if (payload.type === "action" && payload.verdict === "permit") {
      const { tool, action, links } = payload;
      const attempt = { tool, action, index, jws, spends: links.approvals ?? [] };
      attempts.push(attempt);
      named.set(`${payload.attempt} ${action}`, attempt);
    }
    if (payload.type === "approval" && payload.kind === "decision") {
      const { actions, decision: signed } = payload;
      const { decision: says, key } = saidIn(signed);
      const { hash } = entry;
      for (const action of actions)
        decisions.push({ tool: asks.get(action)!, action, index, jws, hash, signed, says, key });
    }
    const ended = payload.type === "outcome" && named.get(`${payload.attempt} ${payload.action}`);
    if (ended) ended.outcome = payload.outcome;
  }
  return { attempts, decisions, asked: new Set(asks.values()) };
}

function applyJournal(path: string): void {
  const db = new DatabaseSync(path);
  db.prepare("SELECT count(*) FROM sqlite_schema").get();
  db.close();
}
