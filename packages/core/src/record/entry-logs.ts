import { type Logger, logs } from "@opentelemetry/api";
import { type EntryPayload, headOf, parseCheckpoint, parseEntry, parsePayload } from "@behest/provenance";
import { logRecordOf } from "./log-record.ts";
import type { Engine } from "../store/types.ts";

const PAGE = 256;
/** So far back the entry of this process's own certificate is looked for: others may have written since. */
const BACK = 1024;
/** So many sessions' pseudonyms are remembered. */
const SESSIONS = 1024;

/**
 * One OpenTelemetry LogRecord (`behest.entry`) for each entry that this process has signed, in the log's order, also for
 * those that the store writes by itself. Read back from the log once they are durable: nothing waits for it, and without
 * an SDK nothing is read. What an exporter loses is not lost: the log has it.
 */
export class EntryLogs {
  readonly #engine: Engine;
  /** Whether a key (thumbprint) is, or was, this process's entry key. */
  readonly #isOwn: (kid: string) => boolean;
  /** Where to go on; nowhere until it has started. */
  #next: number = Number.POSITIVE_INFINITY;
  #telling = false;
  #more = false;
  #told: Promise<void> = Promise.resolve();
  /** Pseudonyms by session: only entries of delegations name one. */
  readonly #principals = new Map<string, string>();

  constructor(engine: Engine, isOwn: (kid: string) => boolean) {
    this.#engine = engine;
    this.#isOwn = isOwn;
  }

  /** Once the store is attached: from the entry of this process's certificate on. */
  async start(): Promise<void> {
    try {
      const { size } = parseCheckpoint(await this.#engine.checkpoint());
      const from = Math.max(0, size - BACK);
      const entries = await this.#engine.entries(from, size - from);
      const first = entries.findLastIndex((jws) => jws !== "" && this.#isFirst(jws));
      this.#next = first < 0 ? size : from + first;
      this.look();
    } catch {
      // What cannot be read is refused where it is needed.
    }
  }

  #isFirst(jws: string): boolean {
    const { kid, seq } = parseEntry(jws);
    return seq === 0 && this.#isOwn(kid);
  }

  look(): void {
    this.#more = true;
    if (!this.#telling) this.#told = this.#tell();
  }

  /** What was written up to now is handed to the SDK; to export it is the SDK's own `shutdown`. */
  async close(): Promise<void> {
    await this.#told;
    this.look();
    await this.#told;
  }

  async #tell(): Promise<void> {
    this.#telling = true;
    try {
      const logger = logs.getLogger("@behest/core");
      while (this.#more && logger.enabled()) {
        this.#more = false;
        const head = parseCheckpoint(await this.#engine.checkpoint());
        while (this.#next < head.size) {
          const page = await this.#engine.entries(this.#next, Math.min(PAGE, head.size - this.#next));
          if (page.length === 0) return;
          for (const jws of page) await this.#emit(logger, jws, headOf(head));
        }
      }
    } catch {
      // A log that cannot be read shows where it is written.
    } finally {
      this.#telling = false;
    }
  }

  async #emit(logger: Logger, jws: string, head: string): Promise<void> {
    const index = this.#next++;
    if (jws === "") return;
    const entry = parseEntry(jws);
    if (!this.#isOwn(entry.kid)) return;
    const payload = parsePayload(entry.payload);
    const principal = await this.#principalOf(payload, index);
    try {
      logger.emit(logRecordOf(payload, { index, head, principal, hash: entry.hash }));
    } catch {
      // A processor has thrown: the entry stands all the same.
    }
  }

  async #principalOf(payload: EntryPayload, index: number): Promise<string | undefined> {
    if (payload.type === "delegation") return payload.principal;
    if (!("session" in payload)) return undefined;
    const known = this.#principals.get(payload.session);
    if (known !== undefined || payload.type !== "action") return known;
    const [row] = await this.#engine.records({ index });
    if (this.#principals.size >= SESSIONS) this.#principals.clear();
    if (row) this.#principals.set(payload.session, row.principal);
    return row?.principal;
  }
}
