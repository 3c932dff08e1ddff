import type { BehestError } from "../../error.ts";
import type { HeadRow } from "../agree.ts";
import { ruleCharges, ruleUnspent } from "../charges.ts";
import { childless } from "../failure.ts";
import { ownerOf } from "../erasure.ts";
import { LAPSED, lapsed, mayFinish, mayStart, ruleBegin } from "../rules.ts";
import type {
  Append,
  Begin,
  BeginResult,
  Finish,
  FinishResult,
  Placed,
  PrincipalRow,
  Prune,
  PruneResult,
  SeenTool,
} from "../types.ts";
import { type ActionRow, Actions } from "./actions.ts";
import { Approvals } from "./approvals.ts";
import { Contents } from "./contents.ts";
import { Counters } from "./counters.ts";
import { Enrolling } from "./enrolling.ts";
import { Erasing } from "./erasing.ts";
import { isTruncated } from "./file.ts";
import { Pruning } from "./pruning.ts";
import { HighestHead } from "./sidecar.ts";
import { storedBefore } from "./stored.ts";
import { type Parts, Transactions } from "./transactions.ts";
import type { Answer, Write } from "./write.ts";

/** Looked for this often, ms; also when the process attaches. */
const SWEEP_EVERY = 60_000;

/** Applies requests to the log, many in one transaction. */
export class Writer {
  readonly enrolling: Enrolling;
  readonly #parts: Parts;
  readonly #transactions: Transactions;
  readonly #actions: Actions;
  readonly #contents: Contents;
  readonly #approvals: Approvals;
  readonly #counters: Counters;
  readonly #erasing: Erasing;
  readonly #pruning: Pruning;
  /** How tools were met: written with the next transaction. */
  readonly #seen = new Map<string, SeenTool>();
  /** Answers of the group under way that still lack the head. */
  #places: { -readonly [K in keyof Placed]: Placed[K] }[] = [];
  /** What was erased or pruned by the group under way, and whether the journal may still hold what was erased. */
  #erasures: { swept: boolean }[] = [];
  #unswept = false;
  readonly #highest: HighestHead;
  #sweepAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#transactions = new Transactions(parts);
    this.#actions = new Actions(parts.db);
    this.#contents = new Contents(parts.db);
    this.#approvals = new Approvals(parts.db);
    this.#counters = new Counters(parts.db);
    this.#erasing = new Erasing(parts.db, parts.entries);
    this.#pruning = new Pruning(parts.db, parts.entries);
    this.#highest = new HighestHead(parts.path);
    this.enrolling = new Enrolling(parts, this.#transactions, this.#contents);
  }

  /**
   * The first transaction: this process's certificate, the manifest where `inForce` is another one, an
   * outcome for each attempt that a dead process left. False when the manifest in force is no longer the
   * one of `examined`: then examine again.
   */
  enroll(examined: HeadRow | undefined, inForce: string | undefined): boolean {
    const { identity } = this.#parts.emitter;
    return this.#transactions.run((now, found) => {
      if (found?.manifest !== examined?.manifest) return false;
      const withManifest = inForce !== identity.manifest;
      this.enrolling.place(identity, found, withManifest);
      this.#parts.leases.clear(now);
      for (const row of this.#actions.orphans()) this.#lapse(row);
      this.#contents.sweep(now);
      // Whoever erased may have been killed before the journal was emptied.
      this.#unswept = this.#erasing.any;
      return true;
    }).value;
  }

  /** One transaction over all of them. One answer each, in order. */
  write(requests: readonly Write[]): Answer[] {
    this.#places = [];
    this.#erasures = [];
    try {
      const { value, head } = this.#transactions.run((now) => {
        this.#writeSeen();
        const [first] = requests;
        if (first && requests.length === 1) return [{ value: this.#perform(first, now) }];
        return requests.map((request) => this.#transactions.isolated(() => this.#perform(request, now)));
      });
      this.#seen.clear();
      for (const place of this.#places) place.head = head;
      this.#unswept ||= this.#erasures.length > 0;
      if (this.#erasures.length > 0) this.#sweepJournal();
      for (const erasure of this.#erasures) erasure.swept = !this.#unswept;
      return value;
    } catch (error) {
      return requests.map(() => ({ error: error as BehestError }));
    }
  }

  remember(tools: readonly SeenTool[]): void {
    for (const row of tools) this.#seen.set(JSON.stringify([row.tool, row.kind]), row);
  }

  /** Now and then: keeps the lease while something runs under it, sweeps, notes the highest head. Never throws. */
  tick(): void {
    if (this.#transactions.broken) return;
    const { leases } = this.#parts;
    const now = this.#transactions.time();
    try {
      const sweeps = now >= this.#sweepAt && this.#contents.isSweepDue(now);
      if (now >= this.#sweepAt) this.#parts.feed?.sweep();
      if (!sweeps && now >= this.#sweepAt) this.#sweepAt = now + SWEEP_EVERY;
      const renews = leases.isDue(now) && this.#actions.isRunning(leases.id);
      if (sweeps || renews || this.#seen.size > 0)
        this.#transactions.run(() => {
          this.#writeSeen();
          if (sweeps) this.#contents.sweep(now);
        });
      this.#seen.clear();
      this.#highest.note(this.#transactions.checkpoint);
      if (this.#unswept) this.#sweepJournal();
    } catch {
      // Busy: the next tick tries again. Broken: the next request is told.
    }
  }

  /** Gives the lease back and closes the database. */
  close(): void {
    try {
      if (!this.#transactions.broken) {
        this.#transactions.run(() => {
          this.#writeSeen();
          this.#parts.leases.giveBack();
        });
        this.#highest.note(this.#transactions.checkpoint);
      }
    } finally {
      this.#parts.feed?.close();
      this.#parts.db.close();
    }
  }

  #perform(write: Write, now: number): unknown {
    switch (write.op) {
      case "append":
        return this.#append(write.request, now);
      case "begin":
        return this.#begin(write.request, now);
      case "finish":
        return this.#finish(write.request);
      case "principal":
        return this.#contents.principal(write.issuer, write.subject) satisfies PrincipalRow;
      case "register":
        this.#erasing.refuse(write.who.pseudonym);
        return this.#contents.register(write.who);
      case "erase":
        return this.#destroyed(this.#erasing.erase(write.request, now, (draft) => this.#place(draft)));
      case "prune":
        return this.#destroyed(this.#prune(write.request, now));
      case "forget":
        return this.#contents.forget(write.run);
      case "spend":
        return this.#contents.spend(write.id, write.until, now);
      case "document":
        return this.#contents.document(write.digest, write.text);
      case "cosigned":
        return this.#contents.cosigned(write.size, write.note);
      case "flush":
        return undefined;
    }
  }

  #append(request: Append, now: number): Placed {
    const { entry, once, delegation, charge, journal, record, approval, decides } = request;
    this.#erasing.refuse(ownerOf(request));
    this.#pruning.refuse(request);
    const { entries } = this.#parts;
    const beside = { approvals: this.#approvals, contents: this.#contents, entries };
    const stored = storedBefore(request, beside, now);
    if (stored !== undefined) return this.#placed({ index: stored, hash: entries.hash(stored), again: true });
    const charges = charge ? [charge] : [];
    const counted = ruleCharges(charges, [], this.#counters.read, now);
    if ("spent" in counted) throw childless();
    const placed = this.#place(entry);
    this.#counters.write(charges, counted.held);
    if (once !== undefined) this.#contents.mark(once, placed.index);
    if (delegation) this.#contents.delegate(delegation, placed.index);
    if (journal) this.#contents.journal(journal, placed.index);
    if (record) this.#actions.record(placed.index, record);
    if (approval) this.#approvals.ask(approval, placed.index);
    for (const id of decides ?? []) this.#approvals.decide(id, placed.index);
    this.#contents.keep(request.content, placed.index);
    return placed;
  }

  #begin(request: Begin, now: number): BeginResult {
    const { leases } = this.#parts;
    this.#erasing.refuse(ownerOf(request));
    this.#pruning.refuse(request);
    for (;;) {
      const row = this.#actions.get(request.action);
      const ruling = ruleBegin(row, request, now, () => row !== undefined && leases.isLiving(row.lease, now));
      switch (ruling.next) {
        case "lapse":
          this.#lapse(row!);
          continue;
        case "answer":
          return ruling.answer;
        case "tell": {
          const { outcome, code } = ruling;
          const result =
            row?.result === undefined
              ? undefined
              : this.#contents.sealed(row.result, row.ended ?? row.id, now);
          return { begun: "ended", outcome, code, ...(result && { result }) };
        }
        case "start": {
          const { charges = [], rests, seen } = request;
          if (seen !== undefined && seen < (this.#parts.feed?.seq ?? 0))
            return { begun: "refused", code: "cuts_unseen" };
          if (!mayStart(request, (id) => this.#approvals.get(id), now))
            return { begun: "refused", code: "approval_needed" };
          const before = row?.charged ?? [];
          const counted = ruleCharges(charges, before, this.#counters.read, now);
          if ("spent" in counted) return { begun: "refused", code: "budget_spent", charge: counted.spent };
          if (rests) this.#approvals.spend(request.action);
          const placed = request.entry === undefined ? undefined : this.#place(request.entry);
          this.#counters.write(charges, counted.held);
          const charged = [...before, ...counted.held.keys()];
          this.#actions.start(request, { lease: leases.id, entry: placed?.index, charged });
          if (placed && request.record) this.#actions.record(placed.index, request.record);
          this.#contents.keep(request.content, placed?.index ?? request.action);
          return { begun: "started", ...(placed && { placed }) };
        }
      }
    }
  }

  #finish(request: Finish): FinishResult {
    const row = this.#actions.get(request.action);
    if (!row || !mayFinish(row, request, row.lease === this.#parts.leases.id)) return { finished: "late" };
    const placed = request.entry === undefined ? undefined : this.#place(request.entry);
    const { outcome, code, result, unspent = [] } = request;
    const held = ruleUnspent(unspent, row.charged, this.#counters.read);
    this.#counters.write(unspent, held);
    const charged = row.charged.filter((counter) => !held.has(counter));
    this.#actions.end(row, { outcome, code, result, ended: placed?.index, charged });
    const kept = request.content?.filter(({ principal }) => !this.#erasing.isErased(principal));
    this.#contents.keep(kept, placed?.index ?? request.action);
    return { finished: "ended", ...(placed && { placed }) };
  }

  #prune(request: Prune, now: number): PruneResult {
    const { retention } = this.#transactions;
    return this.#pruning.prune(request, { now, retention }, (draft) => this.#place(draft));
  }

  #destroyed<T extends object>(done: T | (T & { swept: boolean })): T {
    if ("swept" in done) this.#erasures.push(done);
    return done;
  }

  /** What was erased lies in the journal until that is emptied, which nobody may be reading at that moment. */
  #sweepJournal(): void {
    this.#unswept = !isTruncated(this.#parts.db);
  }

  /** Nobody holds its lease any more: what became of it is not known. A spawn leaves no entry. */
  #lapse(row: ActionRow): void {
    const hash = row.entry === undefined ? undefined : this.#parts.entries.hash(row.entry);
    const draft = hash && lapsed(row.id, row.attempt, hash, this.#parts.clock());
    const placed = draft && this.#transactions.place(draft);
    this.#actions.end(row, { ...LAPSED, ended: placed ? placed.index : undefined });
  }

  #place(draft: string): Placed {
    return this.#placed(this.#transactions.place(draft));
  }

  #placed(place: Omit<Placed, "head">): Placed {
    const placed = { ...place, head: "" };
    this.#places.push(placed);
    return placed;
  }

  #writeSeen(): void {
    for (const row of this.#seen.values()) this.#contents.seen(row);
  }
}
