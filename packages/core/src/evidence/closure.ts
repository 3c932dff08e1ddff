import { type EntryHash, type EntryPayload, parseEntry, parsePayload } from "@behest/provenance";
import { lateKey } from "../action/finish.ts";
import type { Engine } from "../store/types.ts";

/** An entry, read. */
export interface Taken {
  readonly jws: string;
  readonly payload: EntryPayload;
}

interface Place {
  readonly index: number;
  readonly hash: EntryHash;
}

/**
 * Entries, and all that they link to: what has to be shown so that they can be verified. Links are hashes; where they
 * stand is looked up in the rows beside the log, and what no row names stays missing, which a verifier then says.
 */
export class Closure {
  readonly #engine: Engine;
  readonly #size: number;
  readonly #places = new Map<EntryHash, number>();
  #delegations: Promise<void> | undefined;
  readonly entries: Map<number, Taken> = new Map();

  /** `size`: entries from there on are under no checkpoint that is shown, and stay out. */
  constructor(engine: Engine, size: number) {
    this.#engine = engine;
    this.#size = size;
  }

  /** Adds the entry at `index` with what it rests on. */
  async take(index: number | undefined): Promise<Taken | undefined> {
    if (index === undefined || index >= this.#size) return undefined;
    const before = this.entries.get(index);
    if (before) return before;
    const [jws] = await this.#engine.entries(index, 1);
    if (jws === undefined) return undefined;
    const entry = parseEntry(jws);
    const taken = { jws, payload: parsePayload(entry.payload) };
    this.entries.set(index, taken);
    this.#places.set(entry.hash, index);
    if (taken.payload.type === "action") await this.#takeAction(taken.payload.action, taken.payload.session);
    for (const hash of linksOf(taken.payload)) await this.take(await this.#placeOf(hash));
    return taken;
  }

  /** Everything that was recorded of an action: asks, attempts, turns, outcomes, what persons have signed. */
  async #takeAction(action: string, session: string): Promise<void> {
    const engine = this.#engine;
    const row = await engine.approval(action);
    this.#note(row?.asked, ...(row?.decisions ?? []));
    for (const { index, interaction, ended, principal, at } of await engine.records({ action, session })) {
      for (const signed of await engine.ahead({ principal, since: at }))
        this.#note(signed.asked, ...signed.decisions);
      for (const place of [interaction, index, ended]) await this.take(place);
    }
    for (const { index } of row?.decisions ?? []) await this.take(index);
    for (const index of await engine.recorded(lateKey(action, ""))) await this.take(index);
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

function linksOf(payload: EntryPayload): EntryHash[] {
  if (!("links" in payload)) return [];
  return Object.values(payload.links as { readonly [link: string]: EntryHash | readonly EntryHash[] }).flat();
}
