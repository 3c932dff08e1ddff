import type { Effect } from "@behest/delegation";
import type { Manifest } from "@behest/provenance";
import { BehestError } from "../error.ts";
import { type Admitted, admit } from "./admission.ts";
import { Cuts } from "./cuts.ts";
import { type Feed, type FeedHead, type FeedPage, START, broken, follow } from "./feed.ts";
import { Since, isFresh } from "./freshness.ts";
import { type Form, type Lineage, keyOfCut } from "./keys.ts";
import { spanOf } from "./span.ts";

/** A session, as far as cuts concern it. */
export interface Followed {
  readonly lineage: Lineage;
  /** Ends it. */
  cut(reason: BehestError): void;
}

/** What revocations need of the deployment. */
export interface RevocationParts {
  readonly feed: Feed;
  /** Every `begin` compares how far the feed goes with {@link Revocations.judged}: nothing needs to be read before it. */
  readonly compared: boolean;
  readonly manifest: Manifest;
  /** ms since the epoch. */
  readonly clock: () => number;
  /** Takes a cut that is in force into the log, once among all processes. */
  readonly record: (admitted: Admitted) => Promise<void>;
  /** Digests of the cuts that the log has taken in. */
  readonly recorded: () => Promise<ReadonlySet<string>>;
}

/** Why nothing starts, or goes on, in a session. */
export type Cutting = "revoked" | "revocation_stale";

/** The cuts in force, as this process has read them, and the sessions that they may concern. */
export class Revocations {
  readonly #parts: RevocationParts;
  readonly #cuts = new Cuts();
  /** Forms of key that any cut has. */
  readonly #forms = new Set<Form>();
  readonly #followed = new Set<WeakRef<Followed>>();
  readonly #gone = new FinalizationRegistry<WeakRef<Followed>>((ref) => this.#followed.delete(ref));
  /** What was found since the last cut came in. */
  #known = new WeakMap<Lineage, boolean>();
  #head: FeedHead = START;
  #read = new Since();
  #broken: BehestError | undefined;
  #reading: Promise<void> | undefined;
  #again = false;
  #unwatch: (() => void) | undefined;

  constructor(parts: RevocationParts) {
    this.#parts = parts;
  }

  /** Reads what is there and follows what comes. Throws `store_mismatch`, `store_failed`. */
  async start(): Promise<void> {
    const recorded = new Set(await this.#parts.recorded());
    await this.refresh();
    const { rows } = await this.#parts.feed.read(0);
    for (const { digest } of rows) recorded.delete(digest);
    if (recorded.size > 0) throw broken("a revocation that the log has taken in is missing");
    this.#unwatch = this.#parts.feed.watch(() => void this.refresh().catch(() => {}));
  }

  /** Up to where the feed was read: what starts is started only where it has not gone on since. */
  get judged(): { readonly seen?: number } {
    return this.#parts.compared ? { seen: this.#head.seq } : {};
  }

  get bytes(): number {
    return this.#cuts.bytes;
  }

  follow(session: Followed): void {
    const ref = new WeakRef(session);
    this.#followed.add(ref);
    this.#gone.register(session, ref);
  }

  /** What is known here; the feed is not read. */
  state(lineage: Lineage): Cutting | undefined {
    if (this.#broken) return "revocation_stale";
    return this.#concerns(lineage) ? "revoked" : undefined;
  }

  /** Whether what is known is known freshly enough for an action of this effect; reads the feed where it is not. */
  async isFresh(effect: Effect): Promise<boolean> {
    const reads = effect === "irreversible" && !this.#parts.compared;
    if (reads || !isFresh(effect, this.#read.ms)) await this.refresh().catch(() => {});
    return !this.#broken && isFresh(effect, this.#read.ms);
  }

  /** Takes a cut in. Durable, in force and recorded when it resolves. Throws `revocation_refused`, `store_failed`. */
  async submit(jws: string): Promise<void> {
    const { cut } = await admit(jws, this.#parts.manifest, "now").catch((error: unknown) => {
      alarm(error);
      throw error;
    });
    const { until } = spanOf(cut);
    await this.#parts.feed.append({ jws, ...(until !== undefined && { until }) });
    await this.refresh();
  }

  /** Reads what is new. Rejects where it cannot be read, or is no continuation of what was read before. */
  refresh(): Promise<void> {
    // What came while one read was under way may have come after it looked.
    this.#again = this.#reading !== undefined;
    return (this.#reading ??= this.#refreshed().finally(() => (this.#reading = undefined)));
  }

  close(): void {
    this.#unwatch?.();
  }

  async #refreshed(): Promise<void> {
    do {
      this.#again = false;
      const asked = Since.now();
      const { rows, head } = await this.#next();
      const found: Admitted[] = [];
      for (const { jws } of rows) {
        if (jws === undefined) continue;
        const admitted = await admit(jws, this.#parts.manifest, "before").catch(alarm);
        if (admitted) found.push(admitted);
      }
      const now = this.#seconds();
      for (const { cut, scopes } of found)
        for (const scope of scopes) {
          const { words, form } = keyOfCut(cut.target, scope);
          this.#cuts.add(words, spanOf(cut), now);
          this.#forms.add(form);
        }
      this.#head = head;
      this.#read = asked;
      this.#broken = undefined;
      if (found.length > 0) this.#end();
      for (const admitted of found) await this.#parts.record(admitted);
    } while (this.#again);
  }

  /** What follows the head; where it does not follow, all of it, which then has to contain the head. */
  async #next(): Promise<FeedPage> {
    const { feed } = this.#parts;
    try {
      const page = await feed.read(this.#head.seq);
      follow(this.#head, page, this.#seconds());
      return page;
    } catch {
      try {
        const page = await feed.read(0);
        follow(START, page, this.#seconds(), this.#head);
        return page;
      } catch (error) {
        alarm(error);
        this.#broken = error as BehestError;
        throw error;
      }
    }
  }

  #seconds(): number {
    return Math.floor(this.#parts.clock() / 1000);
  }

  /** Ends every session that is cut now. */
  #end(): void {
    this.#known = new WeakMap();
    for (const ref of this.#followed) {
      const session = ref.deref();
      if (session && this.#concerns(session.lineage))
        session.cut(new BehestError("revoked", "revoked: what this session acts under was revoked."));
    }
  }

  #concerns(lineage: Lineage): boolean {
    const known = this.#known.get(lineage);
    if (known !== undefined) return known;
    let found = false;
    for (const form of this.#forms) found ||= this.#cuts.concerns(lineage.keys(form), lineage.issued);
    this.#known.set(lineage, found);
    return found;
  }
}

/** Somebody tried to revoke what is not theirs, or meddled with what was revoked. */
function alarm(error: unknown): undefined {
  process.emitWarning((error as Error).message, { code: "BEHEST_REVOCATION" });
}
