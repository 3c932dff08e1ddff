import type { DatabaseSync, StatementSync } from "node:sqlite";
import { toBase64url } from "@behest/jws";
import { headOf, retentionOf, rootOf } from "@behest/provenance";
import { BehestError } from "../../error.ts";
import type { HeadRow } from "../agree.ts";
import { broken, mismatch, superseded, unstorable } from "../failure.ts";
import { EMPTY, type Emitter, type Tail, seal, sign } from "../log.ts";
import type { Draft } from "../types.ts";
import type { Entries } from "./entries.ts";
import type { FeedEnd } from "./feed.ts";
import { fileAt, isBusy, resultCode, told } from "./file.ts";
import type { Leases } from "./lease.ts";

/** What a transaction works with. */
export interface Parts {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly entries: Entries;
  readonly leases: Leases;
  readonly emitter: Emitter;
  /** ms since the epoch. */
  readonly clock: () => number;
  /** Of the cuts beside the log. */
  readonly feed?: FeedEnd | undefined;
}

/** A place whose head is known once its transaction ends. */
export interface NewPlace {
  readonly index: number;
  readonly hash: string;
}

/** What a request is refused for by a rule, before it has changed anything. */
const OWN_CODES: ReadonlySet<string> = new Set([
  "action_conflict",
  "fan_out_spent",
  "principal_erased",
  "entry_pruned",
]);

/** Refused values of one request: constraint, too big, type mismatch. Any other complaint of SQLite concerns them all. */
const OWN_FAULT: ReadonlySet<number | undefined> = new Set([18, 19, 20]);

/**
 * Transactions on the log, one after the other. Each finds the database where the last one left it, or
 * extended by another process; each ends in one checkpoint over what it appended. Memory follows the disk:
 * what a transaction changes here counts only after its COMMIT. After a failure that may have touched more
 * than one request nothing is written any more: SQLite may have rolled back by itself, and a statement
 * after that would commit alone.
 */
export class Transactions {
  readonly #parts: Parts;
  readonly #file: string | undefined;
  readonly #sql: {
    readonly [
      name in "begin" | "commit" | "rollback" | "save" | "release" | "restore" | "head"
    ]: StatementSync;
  };
  #failure: BehestError | undefined;
  #superseded = false;
  #emitter: Emitter;
  /** Where the log ends on disk, the checkpoint that says so, and its head as text. */
  #tail: Tail = EMPTY;
  #checkpoint: string | undefined;
  #head = "";
  /** Where it ends in the transaction under way, and the head row that was found at its start. */
  #next: Tail = EMPTY;
  #row: HeadRow | undefined;
  /** Indexes of the entries with this process's certificate and with the manifest it was certified under. */
  #trust: { readonly certificate: number; readonly manifest: number } | undefined;
  #now = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#file = fileAt(parts.path);
    this.#emitter = parts.emitter;
    const { db } = parts;
    this.#sql = {
      begin: db.prepare("BEGIN IMMEDIATE"),
      commit: db.prepare("COMMIT"),
      rollback: db.prepare("ROLLBACK"),
      save: db.prepare("SAVEPOINT request"),
      release: db.prepare("RELEASE request"),
      restore: db.prepare("ROLLBACK TO request"),
      head: db.prepare(`
        INSERT INTO head (id, origin, checkpoint, certificate, manifest, at) VALUES (1, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET checkpoint = excluded.checkpoint, certificate = excluded.certificate,
          manifest = excluded.manifest, at = excluded.at`),
    };
  }

  /** The last checkpoint that this process knows to be on disk. */
  get checkpoint(): string | undefined {
    return this.#checkpoint;
  }

  /** How long the manifest keeps what is recorded under which entries are signed now, ms. */
  get retention(): number {
    return retentionOf(this.#emitter.manifest);
  }

  /** Nothing can be written: never again, or not before the manifest in force is taken up. */
  get broken(): boolean {
    return this.#failure !== undefined || this.#superseded;
  }

  /** The store's time: the latest that a transaction has seen, so that a clock set back revives nothing. */
  time(): number {
    return (this.#now = Math.max(this.#now, this.#parts.clock()));
  }

  /** Runs `work` in one transaction. When it returns, the work is durable; `head` is the log's after it. */
  run<T>(work: (now: number, found: HeadRow | undefined) => T): { readonly value: T; readonly head: string } {
    if (this.#failure) throw this.#failure;
    try {
      this.#sql.begin.run();
    } catch (error) {
      // Nothing was begun: after waiting in vain for another process, the next request may fare better.
      throw isBusy(error) ? told(error) : this.#fail(error);
    }
    try {
      const now = this.#enter();
      const value = work(now, this.#row);
      const sealed = this.#leave(now);
      this.#sql.commit.run();
      this.#tail = this.#next;
      this.#superseded = false;
      if (sealed) ({ checkpoint: this.#checkpoint, head: this.#head } = sealed);
      return { value, head: this.#head };
    } catch (error) {
      this.#parts.leases.distrust();
      throw this.#rolledBack(error);
    }
  }

  /** One request among several: what it did is undone where it fails by its own fault. */
  isolated<T>(work: () => T): { readonly value: T } | { readonly error: BehestError } {
    const before = this.#next;
    this.#sql.save.run();
    try {
      const value = work();
      this.#sql.release.run();
      return { value };
    } catch (error) {
      if (this.#concernsAll(error)) throw error;
      this.#sql.restore.run();
      this.#sql.release.run();
      this.#next = before;
      return { error: ownFault(error) };
    }
  }

  /** Signs and appends an entry. */
  place(draft: Draft): NewPlace {
    const index = this.#next.size;
    const { tail, leaf } = sign(this.#next, draft, this.#emitter.signer);
    this.#parts.entries.add(index, leaf);
    this.#next = tail;
    return { index, hash: toBase64url(leaf.nodes[0]!) };
  }

  /** A transaction in which `emitter` takes the place of the one before: it counts and signs from its start on. */
  rotate<T>(emitter: Emitter, work: (now: number, found: HeadRow | undefined) => T): T {
    const before = { emitter: this.#emitter, trust: this.#trust, superseded: this.#superseded };
    this.#emitter = emitter;
    // Whichever manifest is in force is what `work` has to suit.
    this.#trust = undefined;
    try {
      return this.run((now, found) => {
        this.#next = { ...this.#next, seq: 0 };
        return work(now, found);
      }).value;
    } catch (error) {
      ({ emitter: this.#emitter, trust: this.#trust, superseded: this.#superseded } = before);
      throw error;
    }
  }

  /** Every checkpoint from now on points to these two entries. */
  certify(certificate: number, manifest: number): void {
    this.#trust = { certificate, manifest };
  }

  #enter(): number {
    const { path, entries, leases } = this.#parts;
    if (fileAt(path) !== this.#file) throw mismatch("the database file was replaced while it was open");
    const row = (this.#row = entries.head());
    if (row?.checkpoint !== this.#checkpoint || !row) {
      const { size, frontier } = entries.agreed(row, this.#emitter.identity.origin);
      entries.extends({ size: this.#tail.size, root: rootOf(this.#tail.frontier) }, size);
      // Our entries may no longer verify under it, and it may have withdrawn what sessions here still rely on.
      if (this.#trust && row?.manifest !== this.#trust.manifest) throw superseded();
      this.#tail = { size, frontier, seq: this.#tail.seq };
      this.#checkpoint = row?.checkpoint;
      this.#head = headOf({ size, root: rootOf(frontier) });
    }
    this.#next = this.#tail;
    this.#now = Math.max(this.time(), row?.at ?? 0);
    if (leases.isDue(this.#now)) leases.renew(this.#now);
    return this.#now;
  }

  #leave(now: number): ReturnType<typeof seal> | undefined {
    if (this.#next === this.#tail) return undefined;
    const { identity, signer } = this.#emitter;
    const { origin } = identity;
    const { certificate, manifest } = this.#trust!;
    const sealed = seal(this.#next, origin, signer);
    this.#sql.head.run(origin, sealed.checkpoint, certificate, manifest, now);
    return sealed;
  }

  /** Ends the failed transaction; answers with what its requests are told. */
  #rolledBack(error: unknown): BehestError {
    const all = this.#concernsAll(error);
    try {
      if (this.#parts.db.isTransaction) this.#sql.rollback.run();
    } catch {
      return this.#fail(error);
    }
    // Nothing was written, and it holds again once the manifest in force is taken up.
    if (BehestError.isInstance(error) && error.code === "trust_invalid") {
      this.#superseded = true;
      return error;
    }
    return all ? this.#fail(error) : ownFault(error);
  }

  #concernsAll(error: unknown): boolean {
    if (!this.#parts.db.isTransaction) return true;
    if (BehestError.isInstance(error)) return !OWN_CODES.has(error.code);
    const code = resultCode(error);
    return code !== undefined && !OWN_FAULT.has(code);
  }

  #fail(error: unknown): BehestError {
    return (this.#failure = BehestError.isInstance(error) ? error : broken("a write failed", error));
  }
}

function ownFault(error: unknown): BehestError {
  return BehestError.isInstance(error) ? error : unstorable(error);
}
