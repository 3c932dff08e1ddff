import { parseCheckpoint } from "@behest/provenance";
import { type Prune, payloadOf, restsOf } from "../store/pruning.ts";
import type { Engine } from "../store/types.ts";

const PAGE = 500;

/** What has been appended since a log was looked at, and what that rests on. */
export class Since {
  readonly #engine: Engine;
  #seen: number;
  readonly #names = new Set<string>();

  constructor(engine: Engine, size: number) {
    this.#engine = engine;
    this.#seen = size;
  }

  /** How long the log is by now; undefined where something has come to rest on what is to go. */
  async look({ hashes, actions }: Pick<Prune, "hashes" | "actions">): Promise<number | undefined> {
    const { size } = parseCheckpoint(await this.#engine.checkpoint());
    while (this.#seen < size) {
      const page = await this.#engine.entries(this.#seen, Math.min(PAGE, size - this.#seen));
      for (const jws of page) for (const name of restsOf(payloadOf(jws))) this.#names.add(name);
      this.#seen += page.length;
    }
    const isRestedOn =
      hashes.some((hash) => this.#names.has(hash)) ||
      actions.some((action) => this.#names.has(`action ${action}`));
    return isRestedOn ? undefined : this.#seen;
  }
}
