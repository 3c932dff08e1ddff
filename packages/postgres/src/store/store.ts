import type { Feed } from "@behest/core";
import {
  type Append,
  type Begin,
  type BeginResult,
  type Content,
  type DelegationRow,
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
  type StoredApproval,
  type StoredDelegation,
  type StoredRecord,
  type Subtree,
  closed,
  emitterOf,
  engine,
  examine,
  twice,
  unattached,
} from "@behest/core/store";
import { parseCheckpoint } from "@behest/provenance";
import type { Client, ClientConfig } from "pg";
import { configOf } from "../config.ts";
import { feedAt } from "../feed.ts";
import { Link } from "../link.ts";
import { attach, look } from "./attach.ts";
import { hello } from "./hello.ts";
import { leave } from "./leave.ts";
import { make, versionOf } from "./make.ts";
import { Reads } from "./reads.ts";
import { records } from "./records.ts";
import { parserOf } from "./shapes.ts";
import { type PostgresOptions, checkedTenant } from "./tenants.ts";
import { type Request, Writer } from "./writer.ts";

/** What only tests change: how long a lease lasts, ms. */
interface Hidden {
  readonly lease?: number;
}

const LEASE = 30_000;
const READERS = 3;
/** How long a process that is suspended may keep all others waiting, ms: less than they wait. */
const SUSPENDED = 2_000;

/**
 * Store and revocation feed in one, for all machines that share a PostgreSQL database: for `createBehest({ store })`.
 * `url` names the primary, as `postgres://user:password@host/database`, with `?sslmode=verify-full` for TLS. Makes its
 * tables (`behest_…`) where they are missing. Connects when it is first used, and again whenever that was lost; while
 * the database is away nothing is permitted. Throws `config_invalid`; what it does rejects with `store_failed`, after
 * 5 s at the latest where nobody answers, or with `store_missing`, `store_foreign`, `store_unsafe`, `store_mismatch`.
 */
export function postgresStore(url: string, options: PostgresOptions & Hidden = {}): Store {
  checkedTenant(options.tenant);
  const postgres = new PostgresEngine(configOf(url), options);
  return { [engine]: postgres, close: () => postgres.close() };
}

class PostgresEngine implements Engine {
  readonly #config: ClientConfig;
  readonly #ready: (client: Client) => Promise<void>;
  readonly #lease: number;
  readonly #link: Link;
  readonly #reads: Reads;
  #attaching = false;
  #writer: Writer | undefined;
  #feed: Feed | undefined;
  #closing: Promise<void> | undefined;
  #leave: () => Promise<void> = async () => {};

  constructor(config: ClientConfig, { tenant, lease = LEASE }: PostgresOptions & Hidden) {
    this.#config = {
      ...config,
      types: { getTypeParser: parserOf },
      idle_in_transaction_session_timeout: SUSPENDED,
    };
    this.#ready = async (client) => {
      await hello(client, tenant);
      await versionOf(client);
    };
    this.#lease = lease;
    const link = (): Link => new Link(this.#config, { of: "the store", ready: this.#ready });
    this.#link = link();
    this.#reads = new Reads(Array.from({ length: READERS }, link));
  }

  async attach(identity: Identity): Promise<void> {
    if (this.#closing) throw closed();
    if (this.#attaching) throw twice();
    this.#attaching = true;
    try {
      await this.#link.run(make);
      const log = await attach(this.#link, identity, this.#lease);
      this.#leave = () => leave(this.#link, log.lease);
      this.#feed = feedAt(this.#config, this.#ready);
      this.#writer = new Writer(log, this.#lease);
    } catch (error) {
      this.#attaching = false;
      throw error;
    }
  }

  async rotate(identity: Identity): Promise<void> {
    if (!this.#writer) throw unattached();
    const { row, size, trust } = await this.#link.run((client) => look(client, identity.origin));
    const emitter = await emitterOf(identity, size);
    if (row && trust) await examine(row, trust, emitter);
    await this.#write({ op: "rotate", emitter });
  }

  async principal(issuer: string, subject: string): Promise<PrincipalRow> {
    this.#open();
    const known = this.#writer && (await this.#reads.principal(issuer, subject));
    return known ?? ((await this.#write({ op: "principal", issuer, subject })) as PrincipalRow);
  }

  register(who: Principal): Promise<void> {
    return this.#write({ op: "register", who }) as Promise<void>;
  }

  async subject(pseudonym: string): ReturnType<Engine["subject"]> {
    return this.#open().subject(pseudonym);
  }

  async named(subject: string): ReturnType<Engine["named"]> {
    return this.#open().named(subject);
  }

  erase(request: Erase): Promise<EraseResult> {
    return this.#write({ op: "erase", request }) as Promise<EraseResult>;
  }

  prune(request: Prune): Promise<PruneResult> {
    return this.#write({ op: "prune", request }) as Promise<PruneResult>;
  }

  async recallable(before: number): Promise<readonly number[]> {
    return this.#open().recallable(before);
  }

  append(request: Append): Promise<Placed> {
    return this.#write({ op: "append", request }) as Promise<Placed>;
  }

  begin(request: Begin): Promise<BeginResult> {
    return this.#write({ op: "begin", request }) as Promise<BeginResult>;
  }

  finish(request: Finish): Promise<FinishResult> {
    return this.#write({ op: "finish", request }) as Promise<FinishResult>;
  }

  async delegation(jti: string): Promise<StoredDelegation | undefined> {
    return this.#open().delegation("jti", jti);
  }

  async delegationOf(leaf: string): Promise<StoredDelegation | undefined> {
    return this.#open().delegation("leaf", leaf);
  }

  async delegations(): Promise<readonly DelegationRow[]> {
    return this.#open().delegations();
  }

  async recall(run: string, key: string): ReturnType<Engine["recall"]> {
    return this.#open().recall(run, key);
  }

  async forget(run: string): Promise<void> {
    await this.#write({ op: "forget", run });
  }

  spend(id: string, until: number): Promise<boolean> {
    return this.#write({ op: "spend", id, until }) as Promise<boolean>;
  }

  async approval(id: string): Promise<StoredApproval | undefined> {
    return this.#open().approval(id);
  }

  async approvals(run?: string): Promise<readonly StoredApproval[]> {
    return this.#open().approvals(run);
  }

  async ahead(filter: Parameters<Engine["ahead"]>[0]): Promise<readonly StoredApproval[]> {
    return this.#open().ahead(filter);
  }

  async hasBegun(action: string): Promise<boolean> {
    return this.#open().hasBegun(action);
  }

  async held(counters: readonly string[]): Promise<readonly string[]> {
    return this.#open().held(counters);
  }

  async recorded(prefix: string): Promise<readonly number[]> {
    return this.#open().recorded(prefix);
  }

  get feed(): Feed {
    if (!this.#feed) throw unattached();
    return this.#feed;
  }

  async cut(digest: string): Promise<string | undefined> {
    return this.#open().cut(digest);
  }

  seen(tools: readonly SeenTool[]): void {
    this.#writer?.remember(tools);
  }

  async coverage(): Promise<readonly SeenTool[]> {
    const reads = this.#open();
    if (this.#writer) await this.#write({ op: "flush" });
    return reads.coverage();
  }

  async records(filter: RecordFilter): Promise<readonly StoredRecord[]> {
    return records(this.#open(), filter);
  }

  async content(index: number): Promise<readonly Content[]> {
    return this.#open().content(index);
  }

  async entries(from: number, limit: number): Promise<readonly string[]> {
    return this.#open().entries(from, limit);
  }

  async subtrees(places: readonly Subtree[]): Promise<readonly Uint8Array[]> {
    return this.#open().subtrees(places);
  }

  async cosigned(): Promise<string | undefined> {
    return this.#open().cosigned();
  }

  async keepCosigned(note: string): Promise<void> {
    const { size } = parseCheckpoint(note);
    await this.#write({ op: "cosigned", size, note });
  }

  async keepDocument(digest: string, text: string): Promise<void> {
    await this.#write({ op: "document", digest, text });
  }

  async document(digest: string): Promise<string | undefined> {
    return this.#open().document(digest);
  }

  async checkpoint(): Promise<string> {
    return this.#open().checkpoint();
  }

  async head(): Promise<string> {
    await this.#write({ op: "flush" });
    return this.#writer!.checkpoint;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#writer?.close();
    // Where nobody is there to be told, the lease ends by itself.
    await this.#leave().catch(() => {});
    await Promise.all([this.#link.close(), this.#reads.close(), this.#feed?.close()]);
  }

  #open(): Reads {
    if (this.#closing) throw closed();
    return this.#reads;
  }

  #write(write: Request): Promise<unknown> {
    if (this.#closing) return Promise.reject(closed());
    return this.#writer?.write(write) ?? Promise.reject(unattached());
  }
}
