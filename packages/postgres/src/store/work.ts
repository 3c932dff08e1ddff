import { toBase64url } from "@behest/jws";
import { retentionOf } from "@behest/provenance";
import {
  type Draft,
  type Emitter,
  type Placed,
  type Prune,
  type StoredApproval,
  type Tail,
  sign,
} from "@behest/core/store";
import { Rows, type Value } from "./rows.ts";

/** A row of `behest_action`, and what a transaction has to know beside it. */
export interface ActionRow {
  readonly id: string;
  readonly args: string;
  readonly given: string | null;
  readonly attempt: number;
  readonly repeatable: boolean;
  readonly lease: string;
  readonly entry: number | null;
  readonly ended: number | null;
  readonly outcome: string | null;
  readonly code: string | null;
  readonly result: string | null;
  readonly charged: string | null;
  /** Of its action entry. */
  readonly hash: string | null;
  /** Another process holds the lease that it runs under. */
  readonly living: boolean;
  /** Its result, sealed, where it is kept. */
  readonly sealed: Uint8Array | null;
}

/** An entry that was found by something else. */
export interface Place {
  readonly idx: number;
  readonly hash: string;
}

/** `gone`: the text of its entry is. */
export type Once = Place & { readonly key: string; readonly gone?: boolean };
export type Row = { readonly [column: string]: Value };
export type TurnRow = Row & Place & { readonly run: string; readonly key: string };
export type DelegationFound = Place & {
  readonly leaf: string;
  readonly jti: string;
  readonly request: string | null;
  readonly principal: string;
};

/** Everything that a group of requests may read or change. */
export interface Tables {
  readonly actions: Rows<ActionRow>;
  readonly approvals: Rows<StoredApproval>;
  readonly counters: Rows<{ readonly id: string; readonly held: string; readonly until: number }>;
  readonly once: Rows<Once>;
  /** Entries of turns whose text is gone, by index. */
  readonly gone: Rows<{ readonly idx: number }>;
  /** By leaf; spawned ones by jti, too. */
  readonly delegations: Rows<DelegationFound & { readonly sealed?: Uint8Array }>;
  readonly spawnedBy: Rows<DelegationFound>;
  readonly turns: Rows<TurnRow>;
  /** By issuer and subject, and by pseudonym. */
  readonly principals: Rows<Row & { readonly pseudonym: string; readonly key: Uint8Array }>;
  readonly pseudonyms: Rows<Row>;
  readonly spent: Rows<{ readonly id: string; readonly until: number }>;
  /** One row, or none. */
  readonly cosigned: Rows<{ readonly size: number; readonly note?: string }>;
  readonly documents: Rows<{ readonly digest: string; readonly text?: string }>;
}

/** What a transaction knows of the tables. */
export interface Known {
  readonly tables: Tables;
  /** How many cuts the feed has. */
  readonly cuts: number;
}

/** Which entries have a process's certificate, and the manifest that it was certified under. */
export interface TrustAt {
  readonly certificate: number;
  readonly manifest: number;
}

/** One transaction's share of the log: what was found, what is to be stored, and where the log ends then. */
export class Work {
  readonly found: Tables;
  readonly records: Rows<Row> = new Rows();
  /** Of records that are stored already. */
  readonly outcomes: Rows<Row> = new Rows();
  readonly contents: Rows<Row> = new Rows();
  readonly spawned: Rows<Row> = new Rows();
  readonly decisions: Rows<Row> = new Rows();
  readonly seen: Rows<Row> = new Rows();
  /** Runs whose turns are not needed any more. */
  readonly forgotten: Set<string> = new Set();
  /** Old entries whose text goes. */
  pruned: Prune | undefined;
  /** Principals whose keys and names go. */
  readonly erased: string[] = [];
  readonly entries: { readonly idx: number; readonly nodes: Uint8Array; readonly jws: string }[] = [];
  readonly places: { -readonly [K in keyof Placed]: Placed[K] }[] = [];
  /** The store's time, ms since the epoch. */
  readonly now: number;
  /** How many cuts the feed has. */
  readonly cuts: number;
  tail: Tail;
  /** From this transaction on every checkpoint points to these. */
  trust: TrustAt | undefined;
  readonly #emitter: Emitter;

  constructor({ tables, cuts }: Known, at: { now: number; tail: Tail; emitter: Emitter }) {
    this.found = tables;
    this.now = at.now;
    this.cuts = cuts;
    this.tail = at.tail;
    this.#emitter = at.emitter;
  }

  get tables(): readonly Rows<object>[] {
    const { records, outcomes, contents, spawned, decisions, seen } = this;
    return [
      ...(Object.values(this.found) as Rows<object>[]),
      records,
      outcomes,
      contents,
      spawned,
      decisions,
      seen,
    ];
  }

  /** How long the manifest in force keeps what is recorded, ms. */
  get retention(): number {
    return retentionOf(this.#emitter.manifest);
  }

  /** Signs an entry. Its head is known when the transaction ends. */
  place(draft: Draft): Placed {
    const index = this.tail.size;
    const { tail, leaf } = sign(this.tail, draft, this.#emitter.signer);
    this.entries.push({ idx: index, nodes: Buffer.concat(leaf.nodes), jws: leaf.jws });
    this.tail = tail;
    return this.placed({ index, hash: toBase64url(leaf.nodes[0]!) });
  }

  placed(place: Omit<Placed, "head">): Placed {
    const placed = { ...place, head: "" };
    this.places.push(placed);
    return placed;
  }

  /** One request among several: what it did is undone where it throws. */
  isolated<T>(perform: () => T): T {
    const before = { tail: this.tail, entries: this.entries.length, places: this.places.length };
    try {
      const value = perform();
      for (const rows of this.tables) rows.keep();
      return value;
    } catch (error) {
      for (const rows of this.tables) rows.undo();
      this.tail = before.tail;
      this.entries.length = before.entries;
      this.places.length = before.places;
      throw error;
    }
  }

  /** Nothing is to be stored. */
  get isEmpty(): boolean {
    return (
      this.entries.length === 0 &&
      this.forgotten.size === 0 &&
      this.tables.every((rows) => rows.changed.length === 0)
    );
  }
}
