import type { PublicJwk } from "@behest/jws";
import { headOf, rootOf } from "@behest/provenance";
import { BehestError } from "@behest/core";
import {
  EMPTY,
  type Emitter,
  type HeadRow,
  type Tail,
  agreed,
  examine,
  examineHead,
  extending,
  mismatch,
  seal,
  superseded,
  unstorable,
} from "@behest/core/store";
import type { Client } from "pg";
import type { Link } from "../link.ts";
import { trustAt } from "./enrolling.ts";
import { type Entered, enter } from "./enter.ts";
import { isRefusal } from "./refusal.ts";
import { save } from "./save.ts";
import { type Known, type TrustAt, Work } from "./work.ts";

/** Keys of others that are kept at hand. */
const MOST_KEYS = 256;

/** What one transaction is to do. */
export interface Job<T, K extends Known = Known> {
  /** Reads what it needs to know, alone in the log. */
  find(client: Client, entered: Entered): Promise<K>;
  perform(work: Work, entered: Entered, known: K): T;
  /** Keeps the lease, also where there is nothing to store. */
  readonly renews?: boolean;
  /** Whose entries these are, and all after them; its own begin anew. Absent: the emitter's before. */
  readonly emitter?: Emitter;
  /** It is committed. */
  done?(): void;
  /** It was committed after all, and whoever asked for it has been told that it failed. */
  lost?(value: T): void;
}

/** `refused`: the database will not hold what was to be stored. */
export type Done<T> = { readonly value: T } | { readonly refused: BehestError };

/** Where the log ends, the checkpoint that says so, and what this process's entries rest on once it has any. */
interface End {
  readonly tail: Tail;
  readonly checkpoint: string | undefined;
  readonly trust: TrustAt | undefined;
  /** Who signs. */
  readonly emitter: Emitter;
}

/** A transaction that was to be committed when the connection was lost, and what would be so. */
interface Doubt {
  readonly job: Job<never, never>;
  readonly batch: number;
  readonly end: End;
  readonly value: unknown;
}

/**
 * This process's transactions on the log, one after the other. Each finds the log where the last one left it, or
 * extended by others, and ends in one checkpoint over what it appended. What it changes in memory counts when it is
 * known to be committed: where the connection is lost at that moment, the next transaction looks first.
 */
export class Log {
  readonly #link: Link;
  readonly #lease: { readonly id: string; readonly length: number };
  #end: End;
  #batch = 0;
  /** Number of the last one that is known to be committed. */
  #committed = 0;
  #doubt: Doubt | undefined;
  /** Of others, by where their certificate and the manifest in force stand. */
  readonly #keys = new Map<string, PublicJwk>();

  /** `lease`: its name, and how long it lasts, ms. */
  constructor(link: Link, emitter: Emitter, lease: { readonly id: string; readonly length: number }) {
    this.#link = link;
    this.#end = { tail: EMPTY, checkpoint: undefined, trust: undefined, emitter };
    this.#lease = lease;
  }

  get lease(): string {
    return this.#lease.id;
  }

  /** The last one that is known to be committed. */
  get checkpoint(): string {
    return this.#end.checkpoint!;
  }

  /** When it resolves with a value, it is durable. Rejects with `store_failed`, `store_mismatch`, `trust_invalid`. */
  transact<T, K extends Known>(job: Job<T, K>): Promise<Done<T>> {
    return this.#link.run((client) => this.#attempt(client, job));
  }

  async #attempt<T, K extends Known>(client: Client, job: Job<T, K>): Promise<Done<T>> {
    const { size } = this.#end.tail;
    const at = { size, checkpoint: this.#end.checkpoint, lease: this.lease };
    const entered = await enter(client, at, true);
    const doubt = this.#doubt;
    if (doubt && this.#wasCommitted(doubt, entered)) {
      await client.query("ROLLBACK");
      const isThis = doubt.job === (job as unknown);
      // Whoever was told that no other key or manifest was taken up goes on under the one before: to this log, another did it.
      if (isThis || !doubt.job.emitter) this.#end = doubt.end;
      doubt.job.done?.();
      if (isThis) return { value: doubt.value as T };
      doubt.job.lost?.(doubt.value as never);
      return this.#attempt(client, job);
    }
    if ((entered.batch ?? this.#committed) < this.#committed)
      throw mismatch("what this process has written last is not there any more");
    const followed = this.#followed(entered);
    const { trust } = this.#end;
    if (trust && entered.row && entered.row.manifest < trust.manifest)
      throw mismatch("a trust manifest from before the one that was in force is said to be so again");
    // Our entries may no longer verify under it, and it may have withdrawn what sessions here still rely on.
    if (!job.emitter && trust && entered.row?.manifest !== trust.manifest) throw superseded();
    if (followed && entered.row) await this.#examine(client, entered.row, job.emitter);
    this.#end = followed ?? this.#end;
    try {
      return { value: await this.#carryOut(client, job, entered) };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await client.query("ROLLBACK");
      return { refused: unstorable(undefined) };
    }
  }

  async #carryOut<T, K extends Known>(client: Client, job: Job<T, K>, entered: Entered): Promise<T> {
    const known = await job.find(client, entered);
    const { now } = entered;
    const { emitter = this.#end.emitter } = job;
    const tail = job.emitter ? { ...this.#end.tail, seq: 0 } : this.#end.tail;
    const work = new Work(known, { now, tail, emitter });
    const value = job.perform(work, entered, known);
    const { identity, signer } = emitter;
    const isEmpty = work.isEmpty && !job.renews;
    const sealed = work.entries.length > 0 ? seal(work.tail, identity.origin, signer) : undefined;
    const head = sealed?.head ?? headOf({ size: work.tail.size, root: rootOf(work.tail.frontier) });
    for (const place of work.places) place.head = head;
    if (isEmpty) {
      await client.query("ROLLBACK");
      return value;
    }
    const batch = ++this.#batch;
    const trust = work.trust ?? this.#end.trust;
    await save(client, work, {
      lease: { id: this.lease, expires: now + this.#lease.length, batch },
      ...(sealed && {
        head: { origin: identity.origin, checkpoint: sealed.checkpoint, ...trust!, at: now },
      }),
    });
    const end = sealed ? { tail: work.tail, checkpoint: sealed.checkpoint, trust, emitter } : this.#end;
    this.#doubt = { job: job as unknown as Job<never, never>, batch, end, value };
    const { command } = await client.query("COMMIT");
    if (command !== "COMMIT") throw new Error("the transaction was not committed");
    this.#doubt = undefined;
    this.#committed = batch;
    this.#end = end;
    job.done?.();
    return value;
  }

  /** Nobody else is between the transaction in doubt and this one: it was committed, or never will be. */
  #wasCommitted(doubt: Doubt, { batch }: Entered): boolean {
    if (batch === undefined && doubt.batch > 1)
      throw new BehestError(
        "store_failed",
        "store_failed: whether the last write was made cannot be told any more. Start this process again.",
      );
    this.#doubt = undefined;
    if (batch === undefined || batch < doubt.batch) return false;
    this.#committed = batch;
    return true;
  }

  /** Where the log ends now, if others have written to it. */
  #followed({ row, stored }: Entered): End | undefined {
    const { tail, checkpoint, emitter } = this.#end;
    const { origin } = emitter.identity;
    if (row && row.checkpoint === checkpoint && stored.size === tail.size) return undefined;
    const { size, frontier } = agreed(row, origin, stored);
    extending({ size: tail.size, root: rootOf(tail.frontier) }, stored);
    return { ...this.#end, tail: { size, frontier, seq: tail.seq }, checkpoint: row?.checkpoint };
  }

  /** What others have written is built on only where they are of this log: whoever writes to the database need not be. */
  async #examine(client: Client, row: HeadRow, emitter: Emitter = this.#end.emitter): Promise<void> {
    const { certificate, manifest } = row;
    const name = `${certificate} ${manifest}`;
    const known = this.#keys.get(name);
    if (known) return examineHead(row, known);
    const trust = {
      certificate: await trustAt(client, certificate),
      manifest: await trustAt(client, manifest),
    };
    const key = await examine(row, trust, emitter);
    if (this.#keys.size >= MOST_KEYS) this.#keys.clear();
    this.#keys.set(name, key);
  }
}
