import {
  type ActionEntry,
  type EntryHash,
  type EntryPayload,
  parseEntry,
  parsePayload,
} from "@behest/provenance";
import { lateKey } from "../action/finish.ts";
import { linksOf } from "../store/pruning.ts";
import type { Scale } from "./scale.ts";
import type { Engine, StoredRecord } from "../store/types.ts";

/** An entry, read. */
export interface Taken {
  readonly jws: string;
  readonly payload: EntryPayload;
}

interface Place {
  readonly index: number;
  readonly hash: EntryHash;
}

/** What lies beside the log of one action: its rows, and indexes of what persons have decided on it. */
interface Beside {
  readonly rows: readonly StoredRecord[];
  readonly decisions: readonly number[];
}

/**
 * Entries, and all that they link to: what has to be shown so that they can be verified. Links are hashes; where they
 * stand is looked up in the rows beside the log, and what no row names stays missing, which a verifier then says.
 */
export class Closure {
  readonly #engine: Engine;
  readonly #size: number;
  readonly #scale: Scale;
  readonly #places = new Map<EntryHash, number>();
  #delegations: Promise<void> | undefined;
  readonly #actions = new Map<string, Promise<Beside>>();
  /** Actions of which all was taken, and whose each of their entries is. */
  readonly #whole = new Set<string>();
  readonly #whose = new Map<number, string>();
  readonly entries: Map<number, Taken> = new Map();

  /** `size`: entries from there on are under no checkpoint that is shown, and stay out. */
  constructor(engine: Engine, size: number, scale: Scale) {
    this.#engine = engine;
    this.#size = size;
    this.#scale = scale;
  }

  /** Adds the entry at `index` with what it rests on, and of an action all that was recorded of it. */
  async take(index: number | undefined): Promise<Taken | undefined> {
    const taken = await this.#takeOne(index);
    if (taken?.payload.type === "action") await this.#takeAction(taken.payload);
    return taken;
  }

  /** Whose the action at `index` is, where all of it was taken: pseudonym. */
  whose(index: number): string | undefined {
    return this.#whose.get(index);
  }

  async #takeOne(index: number | undefined): Promise<Taken | undefined> {
    if (index === undefined || index >= this.#size) return undefined;
    const before = this.entries.get(index);
    if (before) return before;
    const [jws] = await this.#engine.entries(index, 1);
    // Missing, or pruned: then nothing that is kept links to it.
    if (!jws) return undefined;
    this.#scale.add(jws);
    const entry = parseEntry(jws);
    const payload = parsePayload(entry.payload);
    const taken = { jws, payload };
    this.entries.set(index, taken);
    this.#places.set(entry.hash, index);
    if (payload.type === "action") {
      const { rows } = await this.#beside(payload);
      await this.#takeOne(rows.find((row) => row.index === index)?.interaction);
    }
    // One signature may be over the actions of several: what asked for each is shown, and no more of it.
    if (payload.type === "approval" && payload.kind === "decision")
      for (const action of payload.actions) this.#note((await this.#engine.approval(action))?.asked);
    for (const hash of linksOf(payload)) await this.#takeOne(await this.#placeOf(hash));
    return taken;
  }

  /** Everything that was recorded of an action: asks, attempts, turns, outcomes, what persons have signed. */
  async #takeAction(of: ActionEntry): Promise<void> {
    if (this.#whole.has(of.action)) return;
    this.#whole.add(of.action);
    const { rows, decisions } = await this.#beside(of);
    for (const { index, ended, principal } of rows) {
      this.#whose.set(index, principal);
      for (const place of [index, ended]) await this.#takeOne(place);
    }
    const late = await this.#engine.recorded(lateKey(of.action, ""));
    for (const index of [...decisions, ...late]) await this.#takeOne(index);
  }

  /** The rows of an action, and where what it links to stands. */
  #beside({ action, session }: ActionEntry): Promise<Beside> {
    const known = this.#actions.get(action) ?? this.#lookBeside(action, session);
    this.#actions.set(action, known);
    return known;
  }

  async #lookBeside(action: string, session: string): Promise<Beside> {
    const engine = this.#engine;
    const { asked, decisions = [] } = (await engine.approval(action)) ?? {};
    this.#note(asked, ...decisions);
    const rows = await engine.records({ action, session });
    for (const { principal, at } of rows)
      for (const signed of await engine.ahead({ principal, since: at }))
        this.#note(signed.asked, ...signed.decisions);
    return { rows, decisions: decisions.map(({ index }) => index) };
  }

  #note(...places: readonly (Place | undefined)[]): void {
    for (const place of places) if (place) this.#places.set(place.hash, place.index);
  }

  async #placeOf(hash: EntryHash): Promise<number | undefined> {
    if (!this.#places.has(hash)) await (this.#delegations ??= this.#noteDelegations());
    return this.#places.get(hash);
  }

  async #noteDelegations(): Promise<void> {
    for (const { leaf } of await this.#engine.delegations())
      this.#note(await this.#engine.delegationOf(leaf));
  }
}
