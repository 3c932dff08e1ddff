import { replayCache } from "@behest/delegation";
import { ruleCharges, ruleUnspent } from "./charges.ts";
import { ERASED, type Erase, type EraseResult, ruleErase } from "./erasure.ts";
import { childless, closed, missing, twice, unattached, unstorable } from "./failure.ts";
import { emitterOf, examineNext, trustDraft, trustKey } from "./log.ts";
import { MemoryLog } from "./memory-log.ts";
import { prune, refuse } from "./memory-pruning.ts";
import {
  type MemoryRows,
  destroy,
  erasable,
  memoryRows,
  recordsIn,
  refuseErased,
  storedBefore,
} from "./memory-rows.ts";
import { mayFinish, mayStart, ruleBegin } from "./rules.ts";
import {
  type Append,
  type Begin,
  type BeginResult,
  type Engine,
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
  type Subtree,
  engine,
} from "./types.ts";
import { MemoryFeed } from "../revocation/memory.ts";

/** A store that ends with its process: for tests and for measuring. Signs and links exactly as a durable one. */
export function memoryStore(options: { readonly now?: () => number } = {}): Store {
  const memory = new MemoryEngine(options.now ?? Date.now);
  return { [engine]: memory, close: () => memory.close() };
}

class MemoryEngine implements Engine {
  readonly feed: MemoryFeed = new MemoryFeed();
  readonly #clock: () => number;
  #latest = 0;
  #log: MemoryLog | undefined;
  #closed = false;
  readonly #rows: MemoryRows = memoryRows();
  readonly #spent = replayCache({ max: Number.POSITIVE_INFINITY, now: () => this.#now() / 1000 });

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async attach(identity: Identity): Promise<void> {
    const emitter = await emitterOf(identity, 0);
    if (this.#log || this.#closed) throw twice();
    this.#log = new MemoryLog(emitter);
    this.#rows.once.set(trustKey(0), this.#log.place(trustDraft(identity, this.#clock(), true)).index);
  }

  async rotate(identity: Identity): Promise<void> {
    const log = this.#opened();
    const emitter = await examineNext(await emitterOf(identity, log.size), log.manifest);
    this.#rows.once.set(trustKey(log.size), log.rotate(emitter, this.#clock()).index);
  }

  async principal(issuer: string, subject: string): Promise<PrincipalRow> {
    this.#opened();
    const { pseudonym, key } = this.#rows.principals.of(issuer, subject);
    return { pseudonym, key };
  }

  async register(who: Principal): Promise<void> {
    this.#opened();
    refuseErased(this.#rows, who.pseudonym);
    if (!this.#rows.principals.register(who)) throw unstorable(new Error("taken"));
  }

  async subject(pseudonym: string): ReturnType<Engine["subject"]> {
    return this.#rows.principals.named(pseudonym);
  }

  async named(subject: string): ReturnType<Engine["named"]> {
    return this.#rows.principals.called(subject);
  }

  async erase(request: Erase): Promise<EraseResult> {
    const log = this.#opened();
    const { principals } = request;
    const ruling = ruleErase(request, erasable(this.#rows, log, principals, this.#now()));
    if ("erased" in ruling) return ruling;
    const placed = log.place(ruling.entry);
    for (const principal of principals) destroy(this.#rows, principal, placed.index);
    return { erased: "done", placed, early: ruling.early, swept: true };
  }

  async prune(request: Prune): Promise<PruneResult> {
    return prune(this.#rows, this.#opened(), request, this.#now());
  }

  async recallable(before: number): Promise<readonly number[]> {
    return this.#rows.turns.living(this.#now()).filter((index) => index < before);
  }

  async append(request: Append): Promise<Placed> {
    const log = this.#opened();
    refuse(this.#rows, log, request);
    const index = storedBefore(this.#rows, log, request, this.#now());
    if (index !== undefined) return { index, hash: log.hash(index), head: log.head, again: true };
    const { once, delegation, charge, journal, record, approval, decides } = request;
    const counted = ruleCharges(charge ? [charge] : [], [], this.#rows.counters.read, this.#now());
    if ("spent" in counted) throw childless();
    const placed = log.place(request.entry);
    this.#rows.counters.write(counted.held);
    if (once !== undefined) this.#rows.once.set(once, placed.index);
    if (approval) this.#rows.waiting.ask(approval, placed);
    for (const id of decides ?? []) this.#rows.waiting.decide(id, placed);
    if (delegation) this.#rows.delegations.add({ ...delegation, index: placed.index, hash: placed.hash });
    if (journal) this.#rows.turns.add(journal, placed.index);
    if (record) this.#rows.records.set(placed.index, { ...record, index: placed.index });
    this.#rows.content.add(request.content, placed.index);
    return placed;
  }

  async begin(request: Begin): Promise<BeginResult> {
    const log = this.#opened();
    refuse(this.#rows, log, request);
    const before = this.#rows.actions.get(request.action);
    // The one process that can hold a lease here is this one, and it is alive.
    const ruling = ruleBegin(before, request, this.#now(), () => true);
    if (ruling.next === "answer") return ruling.answer;
    if (ruling.next === "tell") {
      const { next: _, ...ended } = ruling;
      const result = this.#rows.content.sealed(before?.ended ?? request.action, before?.result, this.#now());
      return { begun: "ended", ...ended, ...(result && { result }) };
    }
    const { args, given, attempt, repeatable, entry, record, charges = [], rests, seen } = request;
    if (seen !== undefined && seen < this.feed.seq) return { begun: "refused", code: "cuts_unseen" };
    if (!mayStart(request, (id) => this.#rows.waiting.get(id), this.#now()))
      return { begun: "refused", code: "approval_needed" };
    const had = before?.charged ?? [];
    const counted = ruleCharges(charges, had, this.#rows.counters.read, this.#now());
    if ("spent" in counted) return { begun: "refused", code: "budget_spent", charge: counted.spent };
    if (rests) this.#rows.waiting.spend(request.action);
    const placed = entry === undefined ? undefined : log.place(entry);
    this.#rows.counters.write(counted.held);
    const charged = [...had, ...counted.held.keys()];
    const state = { args, given, attempt, repeatable, charged, index: placed?.index };
    this.#rows.actions.set(request.action, state);
    if (placed && record) this.#rows.records.set(placed.index, { ...record, index: placed.index });
    this.#rows.content.add(request.content, placed?.index ?? request.action);
    return { begun: "started", ...(placed && { placed }) };
  }

  async finish(request: Finish): Promise<FinishResult> {
    const log = this.#opened();
    const state = this.#rows.actions.get(request.action);
    if (!state || !mayFinish(state, request, true)) return { finished: "late" };
    const { outcome, code, result, entry, unspent = [] } = request;
    const placed = entry === undefined ? undefined : log.place(entry);
    const held = ruleUnspent(unspent, state.charged, this.#rows.counters.read);
    this.#rows.counters.write(held);
    const charged = state.charged.filter((counter) => !held.has(counter));
    this.#rows.actions.set(request.action, {
      ...state,
      charged,
      outcome,
      code,
      result,
      ended: placed?.index,
    });
    const record = state.index === undefined ? undefined : this.#rows.records.get(state.index);
    if (record)
      this.#rows.records.set(record.index, { ...record, outcome, ...(placed && { ended: placed.index }) });
    const kept = request.content?.filter(({ principal }) => !this.#rows.once.has(ERASED + principal));
    this.#rows.content.add(kept, placed?.index ?? request.action);
    return { finished: "ended", ...(placed && { placed }) };
  }

  async delegation(jti: string): ReturnType<Engine["delegation"]> {
    return this.#rows.delegations.named(jti);
  }

  async delegationOf(leaf: string): ReturnType<Engine["delegationOf"]> {
    return this.#rows.delegations.of(leaf);
  }

  async delegations(): ReturnType<Engine["delegations"]> {
    return this.#rows.delegations.all();
  }

  async recall(run: string, key: string): ReturnType<Engine["recall"]> {
    const row = this.#rows.turns.get(run, key, this.#now());
    return row && { sealed: row.sealed, index: row.index, hash: this.#opened().hash(row.index) };
  }

  async forget(run: string): Promise<void> {
    this.#opened();
    this.#rows.turns.forget(run);
  }

  async spend(id: string, until: number): Promise<boolean> {
    this.#opened();
    return this.#spent.add(id, until / 1000) === true;
  }

  async approval(id: string): Promise<StoredApproval | undefined> {
    return this.#rows.waiting.get(id);
  }

  async approvals(run?: string): Promise<readonly StoredApproval[]> {
    return run === undefined ? this.#rows.waiting.pending(this.#now()) : this.#rows.waiting.of(run);
  }

  async ahead({ principal, since }: Parameters<Engine["ahead"]>[0]): Promise<readonly StoredApproval[]> {
    return this.#rows.waiting.ahead(since, principal);
  }

  async hasBegun(action: string): Promise<boolean> {
    return this.#rows.actions.has(action);
  }

  async held(counters: readonly string[]): Promise<readonly string[]> {
    return counters.map((counter) => this.#rows.counters.read(counter) ?? "0");
  }

  async recorded(prefix: string): Promise<readonly number[]> {
    return [...this.#rows.once].flatMap(([key, index]) => (key.startsWith(prefix) ? [index] : []));
  }

  async cut(digest: string): Promise<string | undefined> {
    return this.feed.cut(digest);
  }

  seen(tools: readonly SeenTool[]): void {
    for (const row of tools) this.#rows.tools.set(JSON.stringify([row.tool, row.kind]), row);
  }

  async coverage(): Promise<readonly SeenTool[]> {
    return [...this.#rows.tools.values()];
  }

  async records(filter: RecordFilter): ReturnType<Engine["records"]> {
    return recordsIn(this.#rows, filter);
  }

  async content(index: number): ReturnType<Engine["content"]> {
    return this.#rows.content.living(index, this.#now());
  }

  async entries(from: number, limit: number): Promise<readonly string[]> {
    return this.#log?.entries(from, limit) ?? [];
  }

  async subtrees(places: readonly Subtree[]): Promise<readonly Uint8Array[]> {
    return this.#opened().subtrees(places);
  }

  async document(digest: string): Promise<string | undefined> {
    return this.#rows.documents.get(digest);
  }

  async keepDocument(digest: string, text: string): Promise<void> {
    this.#opened();
    if (!this.#rows.documents.has(digest)) this.#rows.documents.set(digest, text);
  }

  async cosigned(): Promise<string | undefined> {
    return this.#log?.cosigned;
  }

  async keepCosigned(note: string): Promise<void> {
    this.#opened().keepCosigned(note);
  }

  async checkpoint(): Promise<string> {
    if (!this.#log) throw missing();
    return this.#log.checkpoint();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** The store's time: what it has once seen is not unseen when the clock is set back. */
  #now(): number {
    return (this.#latest = Math.max(this.#latest, this.#clock()));
  }

  #opened(): MemoryLog {
    if (this.#closed) throw closed();
    if (!this.#log) throw unattached();
    return this.#log;
  }
}
