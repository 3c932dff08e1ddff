import { replayCache } from "@behest/delegation";
import { Delegations } from "./delegations.ts";
import { type Held, ruleCharges, ruleUnspent } from "./charges.ts";
import { childless, closed, missing, twice, unattached, unstorable } from "./failure.ts";
import { emitterOf, trustDraft, trustKey } from "./log.ts";
import { MemoryLog } from "./memory-log.ts";
import { Principals } from "./principals.ts";
import { type ActionState, askedBefore, mayFinish, mayStart, ruleBegin } from "./rules.ts";
import {
  type Append,
  type Begin,
  type BeginResult,
  type Content,
  type DelegationRow,
  type Engine,
  type Finish,
  type FinishResult,
  type Identity,
  type Placed,
  type Principal,
  type PrincipalRow,
  type RecordFilter,
  type SeenTool,
  type Store,
  type StoredApproval,
  type StoredDelegation,
  type StoredRecord,
  type Subtree,
  engine,
} from "./types.ts";
import { matches } from "./filter.ts";
import { MemoryFeed } from "../revocation/memory.ts";
import { Turns } from "./turns.ts";
import { Waiting } from "./waiting.ts";

interface MemoryAction extends ActionState {
  readonly result?: string | undefined;
  /** Index of its action entry; absent for a spawn. */
  readonly index?: number | undefined;
  /** Of its outcome entry. */
  readonly ended?: number | undefined;
}

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
  readonly #once = new Map<string, number>();
  readonly #waiting = new Waiting();
  readonly #actions = new Map<string, MemoryAction>();
  /** By index of the action entry, so in log order. */
  readonly #records = new Map<number, StoredRecord>();
  /** By index of the entry it lies beside; what a spawn left, by its action. */
  readonly #content = new Map<number | string, readonly Content[]>();
  readonly #turns = new Turns();
  readonly #delegations = new Delegations();
  readonly #principals = new Principals();
  readonly #documents = new Map<string, string>();
  readonly #tools = new Map<string, SeenTool>();
  readonly #counters = new Map<string, string>();
  readonly #spent = replayCache({ max: Number.POSITIVE_INFINITY, now: () => this.#now() / 1000 });

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async attach(identity: Identity): Promise<void> {
    const emitter = await emitterOf(identity, 0);
    if (this.#log || this.#closed) throw twice();
    this.#log = new MemoryLog(emitter);
    const { index } = this.#log.place(trustDraft(identity, this.#clock(), true));
    this.#once.set(trustKey(index), index);
  }

  async principal(issuer: string, subject: string): Promise<PrincipalRow> {
    this.#opened();
    const { pseudonym, key } = this.#principals.of(issuer, subject);
    return { pseudonym, key };
  }

  async register(who: Principal): Promise<void> {
    this.#opened();
    if (!this.#principals.register(who)) throw unstorable(new Error("taken"));
  }

  async subject(pseudonym: string): ReturnType<Engine["subject"]> {
    return this.#principals.named(pseudonym);
  }

  async append(request: Append): Promise<Placed> {
    const log = this.#opened();
    const index = this.#stored(request);
    if (index !== undefined) return { index, hash: log.hash(index), head: log.head, again: true };
    const { once, delegation, charge, journal, record, approval, decides } = request;
    const counted = ruleCharges(charge ? [charge] : [], [], this.#counter, this.#now());
    if ("spent" in counted) throw childless();
    const placed = log.place(request.entry);
    this.#count(counted.held);
    if (once !== undefined) this.#once.set(once, placed.index);
    if (approval) this.#waiting.ask(approval, placed);
    for (const id of decides ?? []) this.#waiting.decide(id, placed);
    if (delegation) this.#delegations.add({ ...delegation, index: placed.index, hash: placed.hash });
    if (journal) this.#turns.add(journal, placed.index);
    if (record) this.#records.set(placed.index, { ...record, index: placed.index });
    if (request.content) this.#content.set(placed.index, request.content);
    return placed;
  }

  /** Index of what the request would store a second time. */
  #stored({ once, delegation, journal, approval }: Append): number | undefined {
    if (approval) return askedBefore(this.#waiting.get(approval.id), approval);
    const stored = delegation && this.#delegations.before(delegation);
    if (stored !== undefined) return stored;
    return (
      (once === undefined ? undefined : this.#once.get(once)) ??
      (journal && this.#turns.get(journal.run, journal.key, this.#now())?.index)
    );
  }

  async begin(request: Begin): Promise<BeginResult> {
    const log = this.#opened();
    const before = this.#actions.get(request.action);
    // The one process that can hold a lease here is this one, and it is alive.
    const ruling = ruleBegin(before, request, this.#now(), () => true);
    if (ruling.next === "answer") return ruling.answer;
    if (ruling.next === "tell") {
      const { outcome, code } = ruling;
      const result = this.#living(before?.ended ?? request.action).find(
        ({ id }) => id === before?.result,
      )?.sealed;
      return { begun: "ended", outcome, code, ...(result && { result }) };
    }
    const { args, given, attempt, repeatable, entry, record, charges = [], rests, seen } = request;
    if (seen !== undefined && seen < this.feed.seq) return { begun: "refused", code: "cuts_unseen" };
    if (!mayStart(request, (id) => this.#waiting.get(id), this.#now()))
      return { begun: "refused", code: "approval_needed" };
    const had = before?.charged ?? [];
    const counted = ruleCharges(charges, had, this.#counter, this.#now());
    if ("spent" in counted) return { begun: "refused", code: "budget_spent", charge: counted.spent };
    if (rests) this.#waiting.spend(request.action);
    const placed = entry === undefined ? undefined : log.place(entry);
    this.#count(counted.held);
    const charged = [...had, ...counted.held.keys()];
    const state = { args, given, attempt, repeatable, charged, index: placed?.index };
    this.#actions.set(request.action, state);
    if (placed && record) this.#records.set(placed.index, { ...record, index: placed.index });
    if (request.content) this.#content.set(placed?.index ?? request.action, request.content);
    return { begun: "started", ...(placed && { placed }) };
  }

  async finish(request: Finish): Promise<FinishResult> {
    const log = this.#opened();
    const state = this.#actions.get(request.action);
    if (!state || !mayFinish(state, request, true)) return { finished: "late" };
    const { outcome, code, result, entry, unspent = [] } = request;
    const placed = entry === undefined ? undefined : log.place(entry);
    const held = ruleUnspent(unspent, state.charged, this.#counter);
    this.#count(held);
    const charged = state.charged.filter((counter) => !held.has(counter));
    this.#actions.set(request.action, { ...state, charged, outcome, code, result, ended: placed?.index });
    const record = state.index === undefined ? undefined : this.#records.get(state.index);
    if (record)
      this.#records.set(record.index, { ...record, outcome, ...(placed && { ended: placed.index }) });
    if (request.content) this.#content.set(placed?.index ?? request.action, request.content);
    return { finished: "ended", ...(placed && { placed }) };
  }

  async delegation(jti: string): Promise<StoredDelegation | undefined> {
    return this.#delegations.named(jti);
  }

  async delegationOf(leaf: string): Promise<StoredDelegation | undefined> {
    return this.#delegations.of(leaf);
  }

  async delegations(): Promise<readonly DelegationRow[]> {
    return this.#delegations.all();
  }

  async recall(run: string, key: string): ReturnType<Engine["recall"]> {
    const row = this.#turns.get(run, key, this.#now());
    return row && { sealed: row.sealed, index: row.index, hash: this.#opened().hash(row.index) };
  }

  async forget(run: string): Promise<void> {
    this.#opened();
    this.#turns.forget(run);
  }

  async spend(id: string, until: number): Promise<boolean> {
    this.#opened();
    return this.#spent.add(id, until / 1000) === true;
  }

  async approval(id: string): Promise<StoredApproval | undefined> {
    return this.#waiting.get(id);
  }

  async approvals(run?: string): Promise<readonly StoredApproval[]> {
    return run === undefined ? this.#waiting.pending(this.#now()) : this.#waiting.of(run);
  }

  async ahead({ principal, since }: Parameters<Engine["ahead"]>[0]): Promise<readonly StoredApproval[]> {
    return this.#waiting.ahead(since, principal);
  }

  async hasBegun(action: string): Promise<boolean> {
    return this.#actions.has(action);
  }

  async held(counters: readonly string[]): Promise<readonly string[]> {
    return counters.map((counter) => this.#counters.get(counter) ?? "0");
  }

  async recorded(prefix: string): Promise<readonly number[]> {
    return [...this.#once].flatMap(([key, index]) => (key.startsWith(prefix) ? [index] : []));
  }

  async cut(digest: string): Promise<string | undefined> {
    return this.feed.cut(digest);
  }

  seen(tools: readonly SeenTool[]): void {
    for (const row of tools) this.#tools.set(JSON.stringify([row.tool, row.kind]), row);
  }

  async coverage(): Promise<readonly SeenTool[]> {
    return [...this.#tools.values()];
  }

  async records(filter: RecordFilter): Promise<readonly StoredRecord[]> {
    const rows = [...this.#records.values()].filter((row) => matches(row, filter));
    return rows.slice(Math.max(0, rows.length - (filter.limit ?? rows.length)));
  }

  async content(index: number): Promise<readonly Content[]> {
    return this.#living(index);
  }

  async entries(from: number, limit: number): Promise<readonly string[]> {
    return this.#log?.entries(from, limit) ?? [];
  }

  async subtrees(places: readonly Subtree[]): Promise<readonly Uint8Array[]> {
    return this.#opened().subtrees(places);
  }

  async document(digest: string): Promise<string | undefined> {
    return this.#documents.get(digest);
  }

  async keepDocument(digest: string, text: string): Promise<void> {
    this.#opened();
    if (!this.#documents.has(digest)) this.#documents.set(digest, text);
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

  readonly #counter = (counter: string): string | undefined => this.#counters.get(counter);

  #count(held: Held): void {
    for (const [counter, value] of held) this.#counters.set(counter, value);
  }

  #living(beside: number | string): readonly Content[] {
    const now = this.#now();
    return (this.#content.get(beside) ?? []).filter(({ until = Number.POSITIVE_INFINITY }) => until > now);
  }
}
