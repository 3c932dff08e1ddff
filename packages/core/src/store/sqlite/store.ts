import { resolve } from "node:path";
import { parseCheckpoint } from "@behest/provenance";
import { closed, twice, unattached } from "../failure.ts";
import { emitterOf, examineNext } from "../log.ts";
import {
  type Append,
  type Begin,
  type BeginResult,
  type Content,
  type Engine,
  type Erase,
  type EraseResult,
  type Finish,
  type FinishResult,
  type Identity,
  type Placed,
  type Principal,
  type PrincipalRow,
  type Prune,
  type PruneResult,
  type RecordFilter,
  type SeenTool,
  type Store,
  type StoredRecord,
  type Subtree,
  engine,
} from "../types.ts";
import type { WriterOptions } from "./attach.ts";
import { SqliteFeed, cutIn } from "./feed.ts";
import { telling } from "./file.ts";
import { Reader } from "./reader.ts";
import { WriterThread } from "./thread.ts";
import type { Request } from "./write.ts";

/** What only tests change. */
export type SqliteOptions = Partial<WriterOptions>;

const DEFAULTS: WriterOptions = { lease: 10_000, wait: 10_000 };

/**
 * A durable store in one file (and those SQLite keeps beside it: `-wal`, `-shm`, and ours: `-head`), for one
 * machine: several processes may use it at once. Its folder is made when it is missing, for its owner alone.
 * Nothing is opened before it is used: `store_missing`, `store_foreign`, `store_unsafe`, `store_mismatch`.
 */
export function sqliteStore(path: string, options: SqliteOptions = {}): Store {
  const sqlite = new SqliteEngine(resolve(path), { ...DEFAULTS, ...options });
  return { [engine]: sqlite, close: () => sqlite.close() };
}

/** Reads on the calling thread; everything else in the writer's, one a process. */
class SqliteEngine implements Engine {
  readonly #path: string;
  readonly #options: WriterOptions;
  #thread: WriterThread | undefined;
  #reader: Reader | undefined;
  #feed: SqliteFeed | undefined;
  #closed = false;

  constructor(path: string, options: WriterOptions) {
    this.#path = path;
    this.#options = options;
  }

  async attach(identity: Identity): Promise<void> {
    if (this.#closed) throw closed();
    if (this.#thread) throw twice();
    this.#thread = new WriterThread({ path: this.#path, identity, options: this.#options });
    await this.#thread.attached;
    this.#feed = new SqliteFeed(this.#path, this.#options.wait);
  }

  async rotate(identity: Identity): Promise<void> {
    if (!this.#thread) throw unattached();
    const { size } = this.#read((reader) => parseCheckpoint(reader.checkpoint()));
    const inForce = this.#read((reader) => reader.manifest());
    const { manifest } = await examineNext(await emitterOf(identity, size), inForce);
    await this.#write({ op: "rotate", identity, manifest });
  }

  async principal(issuer: string, subject: string): Promise<PrincipalRow> {
    const known = this.#thread && this.#read((reader) => reader.principal(issuer, subject));
    return known ?? ((await this.#write({ op: "principal", issuer, subject })) as PrincipalRow);
  }

  register(who: Principal): Promise<void> {
    return this.#write({ op: "register", who: { ...who, key: own(who.key) } }) as Promise<void>;
  }

  async subject(pseudonym: string): ReturnType<Engine["subject"]> {
    return this.#read((reader) => reader.subject(pseudonym));
  }

  async named(subject: string): ReturnType<Engine["named"]> {
    return this.#read((reader) => reader.named(subject));
  }

  erase(request: Erase): Promise<EraseResult> {
    return this.#write({ op: "erase", request }) as Promise<EraseResult>;
  }

  prune(request: Prune): Promise<PruneResult> {
    return this.#write({ op: "prune", request }) as Promise<PruneResult>;
  }

  async recallable(before: number): Promise<readonly number[]> {
    return this.#read((reader) => reader.recallable(before));
  }

  append(request: Append): Promise<Placed> {
    const { journal, delegation, approval } = request;
    const own = {
      ...withOwn(request),
      ...(journal && { journal: sealedOwn(journal) }),
      ...(delegation && { delegation: sealedOwn(delegation) }),
      ...(approval && { approval: sealedOwn(approval) }),
    };
    return this.#write({ op: "append", request: own }) as Promise<Placed>;
  }

  begin(request: Begin): Promise<BeginResult> {
    return this.#write({ op: "begin", request: withOwn(request) }) as Promise<BeginResult>;
  }

  finish(request: Finish): Promise<FinishResult> {
    return this.#write({ op: "finish", request: withOwn(request) }) as Promise<FinishResult>;
  }

  async delegation(jti: string): ReturnType<Engine["delegation"]> {
    return this.#read((reader) => reader.delegation("jti", jti));
  }

  async delegationOf(leaf: string): ReturnType<Engine["delegationOf"]> {
    return this.#read((reader) => reader.delegation("leaf", leaf));
  }

  async delegations(): ReturnType<Engine["delegations"]> {
    return this.#read((reader) => reader.delegations());
  }

  async recall(run: string, key: string): ReturnType<Engine["recall"]> {
    return this.#read((reader) => reader.recall(run, key));
  }

  async forget(run: string): Promise<void> {
    await this.#write({ op: "forget", run });
  }

  spend(id: string, until: number): Promise<boolean> {
    return this.#write({ op: "spend", id, until }) as Promise<boolean>;
  }

  async approval(id: string): ReturnType<Engine["approval"]> {
    return this.#read((reader) => reader.approvals.get(id));
  }

  async approvals(run?: string): ReturnType<Engine["approvals"]> {
    return this.#read(({ approvals }) =>
      run === undefined ? approvals.pending(Date.now()) : approvals.of(run),
    );
  }

  async ahead({ principal, since }: Parameters<Engine["ahead"]>[0]): ReturnType<Engine["ahead"]> {
    return this.#read((reader) => reader.approvals.ahead(since, principal));
  }

  async hasBegun(action: string): Promise<boolean> {
    return this.#read((reader) => reader.hasBegun(action));
  }

  async held(counters: readonly string[]): Promise<readonly string[]> {
    return this.#read((reader) => counters.map((counter) => reader.held(counter)));
  }

  async recorded(prefix: string): ReturnType<Engine["recorded"]> {
    return this.#read((reader) => reader.recorded(prefix));
  }

  get feed(): SqliteFeed {
    if (!this.#feed) throw unattached();
    return this.#feed;
  }

  async cut(digest: string): Promise<string | undefined> {
    return telling(() => cutIn(this.#path, digest));
  }

  seen(tools: readonly SeenTool[]): void {
    this.#thread?.seen(tools);
  }

  async coverage(): Promise<readonly SeenTool[]> {
    if (this.#thread && !this.#closed) await this.#write({ op: "flush" });
    return this.#read((reader) => reader.coverage());
  }

  async records(filter: RecordFilter): Promise<readonly StoredRecord[]> {
    return this.#read((reader) => reader.records(filter));
  }

  async content(index: number): Promise<readonly Content[]> {
    return this.#read((reader) => reader.content(index));
  }

  async entries(from: number, limit: number): Promise<readonly string[]> {
    return this.#read((reader) => reader.entries(from, limit));
  }

  async subtrees(places: readonly Subtree[]): Promise<readonly Uint8Array[]> {
    return this.#read((reader) => reader.subtrees(places));
  }

  async keepDocument(digest: string, text: string): Promise<void> {
    await this.#write({ op: "document", digest, text });
  }

  async document(digest: string): Promise<string | undefined> {
    return this.#read((reader) => reader.document(digest));
  }

  async cosigned(): Promise<string | undefined> {
    return this.#read((reader) => reader.cosigned());
  }

  async keepCosigned(note: string): Promise<void> {
    const { size } = parseCheckpoint(note);
    await this.#write({ op: "cosigned", size, note });
  }

  async checkpoint(): Promise<string> {
    return this.#read((reader) => reader.checkpoint());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#reader?.close();
    this.#reader = undefined;
    await this.#feed?.close();
    await this.#thread?.close();
  }

  #read<T>(read: (reader: Reader) => T): T {
    if (this.#closed) throw closed();
    return telling(() => read((this.#reader ??= new Reader(this.#path, this.#options.wait))));
  }

  #write(write: Request): Promise<unknown> {
    if (this.#closed) return Promise.reject(closed());
    return this.#thread?.write(write) ?? Promise.reject(unattached());
  }
}

/** A view into a larger buffer (Node's pool) would travel to the thread with all of it. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function sealedOwn<R extends { readonly sealed: Uint8Array }>(row: R): R {
  return { ...row, sealed: own(row.sealed) };
}

function withOwn<R extends Pick<Append, "content" | "record">>(request: R): R {
  const { content, record } = request;
  return {
    ...request,
    ...(content && { content: content.map(sealedOwn) }),
    ...(record && { record: { ...record, agent: own(record.agent) } }),
  };
}
