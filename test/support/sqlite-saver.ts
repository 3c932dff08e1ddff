import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { RunnableConfig } from "@langchain/core/runnables";
import {
  BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  type PendingWrite,
  WRITES_IDX_MAP,
  copyCheckpoint,
  getCheckpointId,
} from "@langchain/langgraph-checkpoint";

interface Row {
  thread: string;
  ns: string;
  id: string;
  parent: string | null;
  checkpoint: Uint8Array;
  metadata: Uint8Array;
}

interface WriteRow {
  task: string;
  channel: string;
  value: Uint8Array;
}

/** LangGraph checkpoints in a SQLite file: what another process needs to take a thread up again. */
export class SqliteSaver extends BaseCheckpointSaver {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    super();
    this.#db = new DatabaseSync(path);
    this.#db.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000;
      create table if not exists checkpoints (thread text, ns text, id text, parent text, checkpoint blob, metadata blob,
        primary key (thread, ns, id)) strict;
      create table if not exists writes (thread text, ns text, id text, task text, idx integer, channel text, value blob,
        primary key (thread, ns, id, task, idx)) strict;`);
  }

  async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { thread, ns } = where(config);
    const id = getCheckpointId(config);
    const row = id
      ? this.#one<Row>("select * from checkpoints where thread = ? and ns = ? and id = ?", thread, ns, id)
      : this.#one<Row>(
          "select * from checkpoints where thread = ? and ns = ? order by id desc limit 1",
          thread,
          ns,
        );
    return row && this.#tuple(row);
  }

  async *list(config: RunnableConfig, options: CheckpointListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { thread, ns } = where(config);
    const before: string | undefined = options.before?.configurable?.["checkpoint_id"];
    const rows = this.#db
      .prepare("select * from checkpoints where thread = ? and ns = ? order by id desc")
      .all(thread, ns);
    let left = options.limit ?? Infinity;
    for (const row of rows as unknown as Row[]) {
      if (before !== undefined && row.id >= before) continue;
      const tuple = await this.#tuple(row);
      const wanted = Object.entries(options.filter ?? {});
      if (!wanted.every(([key, value]) => (tuple.metadata as Record<string, unknown>)[key] === value))
        continue;
      if (left-- <= 0) return;
      yield tuple;
    }
  }

  async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
  ): Promise<RunnableConfig> {
    const { thread, ns } = where(config);
    const parent: string | null = config.configurable?.["checkpoint_id"] ?? null;
    const [[, state], [, about]] = await Promise.all([
      this.serde.dumpsTyped(copyCheckpoint(checkpoint)),
      this.serde.dumpsTyped(metadata),
    ]);
    this.#db
      .prepare("insert or replace into checkpoints values (?, ?, ?, ?, ?, ?)")
      .run(thread, ns, checkpoint.id, parent, state, about);
    return configOf(thread, ns, checkpoint.id);
  }

  async putWrites(config: RunnableConfig, writes: PendingWrite[], task: string): Promise<void> {
    const { thread, ns } = where(config);
    const id = getCheckpointId(config);
    const values = await Promise.all(writes.map(([, value]) => this.serde.dumpsTyped(value)));
    for (const [i, [channel]] of writes.entries()) {
      // Special writes (errors, interrupts) have places of their own and are replaced; others are kept.
      const idx = WRITES_IDX_MAP[channel as string] ?? i;
      this.#db
        .prepare(`insert or ${idx < 0 ? "replace" : "ignore"} into writes values (?, ?, ?, ?, ?, ?, ?)`)
        .run(thread, ns, id, task, idx, channel as string, values[i]![1]);
    }
  }

  async deleteThread(thread: string): Promise<void> {
    for (const table of ["checkpoints", "writes"])
      this.#db.prepare(`delete from ${table} where thread = ?`).run(thread);
  }

  close(): void {
    this.#db.close();
  }

  async #tuple({ thread, ns, id, parent, checkpoint, metadata }: Row): Promise<CheckpointTuple> {
    const rows = this.#db
      .prepare(
        "select task, channel, value from writes where thread = ? and ns = ? and id = ? order by task, idx",
      )
      .all(thread, ns, id) as unknown as WriteRow[];
    const pendingWrites = rows.map(async ({ task, channel, value }): Promise<CheckpointPendingWrite> => [
      task,
      channel,
      await this.#load(value),
    ]);
    return {
      config: configOf(thread, ns, id),
      checkpoint: (await this.#load(checkpoint)) as Checkpoint,
      metadata: (await this.#load(metadata)) as CheckpointMetadata,
      pendingWrites: await Promise.all(pendingWrites),
      ...(parent !== null && { parentConfig: configOf(thread, ns, parent) }),
    };
  }

  #load(bytes: Uint8Array): Promise<unknown> {
    return this.serde.loadsTyped("json", bytes);
  }

  #one<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#db.prepare(sql).get(...values) as T | undefined;
  }
}

function where({ configurable = {} }: RunnableConfig): { thread: string; ns: string } {
  return { thread: String(configurable["thread_id"]), ns: configurable["checkpoint_ns"] ?? "" };
}

function configOf(thread: string, ns: string, id: string): RunnableConfig {
  return { configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: id } };
}
