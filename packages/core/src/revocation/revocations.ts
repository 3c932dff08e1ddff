import type { Effect } from "@behest/delegation";
import { sha256Text } from "@behest/jws";
import type { Cut, Manifest } from "@behest/provenance";
import { BehestError } from "../error.ts";
import { type Admitted, admit } from "./admission.ts";
import { Cuts } from "./cuts.ts";
import { type Feed, type FeedRow, type NewCut, broken } from "./feed.ts";
import { isFresh, isInTime } from "./freshness.ts";
import type { Recorded } from "./entry.ts";
import { type Form, type Lineage, keyOfCut } from "./keys.ts";
import { FeedReader, alarm } from "./reader.ts";
import { refuseOver, spanOf } from "./span.ts";

/** A session, as far as cuts concern it. */
export interface Followed {
  readonly lineage: Lineage;
  /** Whose it is, by pseudonym. */
  readonly vault: { readonly principal: string };
  /** Ends it. */
  cut(reason: BehestError): void;
}

/** What revocations need of the deployment. */
export interface RevocationParts {
  /** The store's own: every `begin` compares how far it goes with {@link Revocations.judged}. */
  readonly own: Feed;
  /** The one that several stores share, where there is one. */
  readonly shared: Feed | undefined;
  readonly manifest: Manifest;
  /** ms since the epoch. */
  readonly clock: () => number;
  /** Takes a cut that is in force into the log, once among all processes. */
  readonly record: (admitted: Admitted) => Promise<void>;
  readonly recorded: () => Promise<Recorded>;
  /** Told of cuts in a feed that nobody has signed who may. */
  readonly refused: (error: unknown) => void;
}

/** A feed is read at least this often while a process runs, ms, and a little more: it was away, then. */
const SILENCE = 1_500;

/**
 * Whoever submits a cut takes it into the log at once. The others look after a while whether that was done, ms, and as
 * much again by chance: all at once they would hold up those that have not ended their sessions yet.
 */
const LOOK_AFTER = 250;

/** Why nothing starts, or goes on, in a session. */
export type Cutting = "revoked" | "revocation_stale";

/**
 * The cuts in force, as this process has read them, and the sessions that they may concern. What comes from a shared
 * feed is carried over into the store's own before the log takes it in: so `begin` lets nothing start after a cut's
 * entry in any process on this store, also in one that has not read the shared feed as far.
 */
export class Revocations {
  readonly #parts: RevocationParts;
  readonly #cuts = new Cuts();
  /** Forms of key that any cut has. */
  readonly #forms = new Set<Form>();
  readonly #followed = new Set<WeakRef<Followed>>();
  readonly #gone = new FinalizationRegistry<WeakRef<Followed>>((ref) => this.#followed.delete(ref));
  /** What was found since the last cut came in. */
  #known = new WeakMap<Lineage, boolean>();
  /** What the log had taken in when this process began. */
  #recorded: Recorded = new Map();
  readonly #own: FeedReader;
  readonly #shared: FeedReader | undefined;
  /** Rows that nobody whom the manifest names has signed, by digest: the next one may name their revoker. */
  readonly #refused = { own: new Map<string, FeedRow>(), shared: new Map<string, FeedRow>() };
  /** Digests of what was submitted here and is being taken in. */
  readonly #submitted = new Set<string>();
  readonly #looks = new Set<NodeJS.Timeout>();
  #started = false;

  constructor(parts: RevocationParts) {
    this.#parts = parts;
    const now = (): number => this.#seconds();
    this.#own = new FeedReader(parts.own, now, (rows) => this.#record(rows));
    this.#shared = parts.shared && new FeedReader(parts.shared, now, (rows) => this.#carryOver(rows));
  }

  /** Reads what is there and follows what comes. Throws `store_mismatch`, `store_failed`. */
  async start(): Promise<void> {
    this.#recorded = await this.#parts.recorded();
    const digests = new Set(this.#recorded.keys());
    await this.#own.start(this.#shared ? undefined : digests);
    await this.#shared?.start(digests);
    this.#started = true;
  }

  /** Up to where the store's feed was read: what starts is started only where it has not gone on since. */
  get judged(): { readonly seen: number } {
    return { seen: this.#own.seq };
  }

  get bytes(): number {
    return this.#cuts.bytes;
  }

  /** Ends it at once where it is cut already: what was known when its chain was looked at may have changed since. */
  follow(session: Followed): void {
    const ref = new WeakRef(session);
    this.#followed.add(ref);
    this.#gone.register(session, ref);
    if (this.#concerns(session.lineage)) session.cut(cutOff());
  }

  /** Ends the sessions of one principal. */
  endOf(pseudonym: string, reason: BehestError): void {
    this.end(({ vault }) => vault.principal === pseudonym, reason);
  }

  /** What is known here; no feed is read. */
  state(lineage: Lineage): Cutting | undefined {
    if (this.#own.broken || this.#shared?.broken) return "revocation_stale";
    return this.#concerns(lineage) ? "revoked" : undefined;
  }

  /**
   * Whether what is known is known freshly enough for an action of this effect. Reads the feed where it is not, and
   * before what cannot be undone, unless it is the store's own, which `begin` looks at.
   */
  async isFresh(effect: Effect): Promise<boolean> {
    const feed = this.#shared ?? this.#own;
    if (effect === "irreversible" && feed === this.#shared) {
      if (!(await isInTime(effect, feed.refresh()))) return false;
    } else if (!isFresh(effect, feed.age)) await isInTime(effect, feed.latest());
    return isFresh(effect, feed.age);
  }

  /** The same as far as it was read already. */
  isStillFresh(effect: Effect): boolean {
    return isFresh(effect, (this.#shared ?? this.#own).age);
  }

  /** The same before a model is asked: a process that was suspended reads the feed when it wakes. */
  async isCurrent(): Promise<boolean> {
    const feed = this.#shared ?? this.#own;
    if (feed.age > SILENCE) await isInTime("read", feed.latest());
    return isFresh("read", feed.age);
  }

  /** Takes a cut in. Durable, in force and recorded when it resolves. Throws `revocation_refused`, `store_failed`. */
  async submit(jws: string): Promise<void> {
    const { cut } = await admit(jws, this.#parts.manifest, "now").catch((error: unknown) => {
      alarm(error);
      throw error;
    });
    refuseOver(cut, this.#seconds());
    this.#tellOfLate(cut);
    const digest = sha256Text(jws);
    this.#submitted.add(digest);
    try {
      await (this.#parts.shared ?? this.#parts.own).append(rowFor(jws, cut));
      await this.refresh();
    } finally {
      this.#submitted.delete(digest);
    }
  }

  /** Reads what is new. Rejects where it cannot be read, or is no continuation of what was read before. */
  async refresh(): Promise<void> {
    await Promise.all([this.#own.refresh(), this.#shared?.refresh()]);
  }

  /** Reads what a `begin` has found in the store's own feed that was not read here. */
  catchUp(): Promise<void> {
    return this.#own.refresh();
  }

  close(): void {
    for (const look of this.#looks) clearTimeout(look);
    this.#own.stop();
    this.#shared?.stop();
  }

  /** The trust manifest is another: cuts that its revokers have signed before are taken in. */
  async retake(): Promise<void> {
    const { own, shared } = this.#refused;
    await this.#carryOver([...shared.values()]);
    await this.#record([...own.values()]);
  }

  /** Ends the sessions that `which` says. */
  end(which: (session: Followed) => boolean, reason: BehestError): void {
    for (const ref of this.#followed) {
      const session = ref.deref();
      if (session && which(session)) session.cut(reason);
    }
  }

  async #record(rows: readonly FeedRow[]): Promise<void> {
    for (const admitted of await this.#enforce(rows, this.#refused.own))
      // A log that takes it in after its revoker's time would not verify; it is in force all the same.
      // Of several entries one may have been lost to a crash.
      if (admitted.holds && (admitted.scopes.length > 1 || !this.#recorded.has(admitted.digest)))
        if (this.#started && !this.#submitted.has(admitted.digest)) this.#lookAfter(admitted);
        else await this.#parts.record(admitted);
  }

  /** Takes in what whoever submitted it has not, as it was killed. Until it is done, or this process ends: the next does it at its start. */
  #lookAfter(admitted: Admitted): void {
    const look = setTimeout(
      () => {
        this.#looks.delete(look);
        this.#parts.record(admitted).catch((error: unknown) => {
          alarm(error);
          this.#lookAfter(admitted);
        });
      },
      LOOK_AFTER * (1 + Math.random()),
    );
    this.#looks.add(look.unref());
  }

  async #carryOver(rows: readonly FeedRow[]): Promise<void> {
    for (const { cut, jws } of await this.#enforce(rows, this.#refused.shared))
      await this.#parts.own.append(rowFor(jws, cut));
    await this.#own.refresh();
  }

  /** What is in force from now on. */
  async #enforce(rows: readonly FeedRow[], refused: Map<string, FeedRow>): Promise<readonly Admitted[]> {
    const found: Admitted[] = [];
    const now = this.#seconds();
    for (const row of rows) {
      const { jws, digest, until } = row;
      if (jws === undefined) {
        if ((this.#recorded.get(digest) ?? 0) > now) throw broken("a revocation is gone before its time");
        continue;
      }
      const admitted = await admit(jws, this.#parts.manifest, "before").catch((error: unknown) => {
        this.#parts.refused(error);
        return alarm(error);
      });
      if (admitted) refused.delete(digest);
      else refused.set(digest, row);
      if (!admitted) continue;
      // It would be emptied earlier or later than it may.
      if (until !== spanOf(admitted.cut).until) throw broken("a revocation has another end than its own");
      found.push(admitted);
    }
    for (const { cut, scopes } of found)
      for (const scope of scopes) {
        const { words, form } = keyOfCut(cut.target, scope);
        this.#cuts.add(words, spanOf(cut), now);
        this.#forms.add(form);
      }
    if (found.length > 0) this.#endCut();
    return found;
  }

  #seconds(): number {
    return Math.floor(this.#parts.clock() / 1000);
  }

  /** A revoker's clock may be slow: what was delegated since its date goes on. */
  #tellOfLate(cut: Cut): void {
    const { before } = spanOf(cut);
    const late = before === undefined ? 0 : this.#seconds() - before;
    if (late > 0) alarm(new Error(`a cut concerns nothing that was delegated in the last ${late} seconds`));
  }

  /** Ends every session that is cut now. */
  #endCut(): void {
    this.#known = new WeakMap();
    this.end(({ lineage }) => this.#concerns(lineage), cutOff());
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

function cutOff(): BehestError {
  return new BehestError("revoked", "revoked: what this session acts under was revoked.");
}

function rowFor(jws: string, cut: Cut): NewCut {
  const { until } = spanOf(cut);
  return { jws, ...(until !== undefined && { until }) };
}
