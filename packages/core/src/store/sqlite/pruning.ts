import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  GONE,
  PRUNED,
  type Prunable,
  type Prune,
  type PruneResult,
  pruned,
  restsOn,
  rulePrune,
} from "../pruning.ts";
import type { Append, Begin, Draft, Placed } from "../types.ts";
import { slotsOf } from "./contents.ts";
import type { Entries } from "./entries.ts";
import { holdsIn } from "./erasing.ts";

type Refused = Exclude<PruneResult, { pruned: "done" }>;
type Pruned = { -readonly [K in keyof Exclude<PruneResult, Refused>]: Exclude<PruneResult, Refused>[K] };

/** Takes the text of old entries, and what lies beside them. All methods run inside a transaction. */
export class Pruning {
  readonly #db: DatabaseSync;
  readonly #entries: Entries;
  readonly #marked: StatementSync;
  readonly #mark: StatementSync;

  constructor(db: DatabaseSync, entries: Entries) {
    this.#db = db;
    this.#entries = entries;
    this.#marked = db.prepare("SELECT 1 FROM once WHERE key = ?");
    this.#mark = db.prepare("INSERT INTO once (key, idx) VALUES (?, ?) ON CONFLICT DO NOTHING");
  }

  /** Throws `entry_pruned`. */
  refuse(request: Partial<Append & Begin>): void {
    const turn = request.record?.interaction;
    const isGone = turn !== undefined && this.#entries.isGone(turn);
    if (isGone || restsOn(request).some((key) => this.#marked.get(key) !== undefined)) throw pruned();
  }

  /** See `Engine.prune`; its journal is not emptied here. `place`: appends an entry. */
  prune(
    request: Prune,
    { now, retention }: Pick<Prunable, "now" | "retention">,
    place: (draft: Draft) => Placed,
  ): Pruned | Refused {
    const { ranges, seen } = request;
    const entries = this.#entries;
    const size = entries.size();
    const refused = rulePrune(request, {
      now,
      retention,
      size,
      holds: holdsIn(this.#db, entries),
      left: ranges.reduce((sum, range) => sum + entries.left(range), 0),
      fresh: () => entries.range(seen, size - seen),
    });
    if (refused) return refused;
    const placed = place(request.entry);
    this.#mark.run(PRUNED + placed.index, placed.index);
    this.#destroy(request, placed.index);
    return { pruned: "done", placed, swept: false };
  }

  /** `index`: of the entry that says so. */
  #destroy({ ranges, actions, spawns, delegations }: Prune, index: number): void {
    const records = this.#db.prepare("DELETE FROM record WHERE idx BETWEEN ? AND ?");
    const contents = this.#db.prepare("DELETE FROM content WHERE slot BETWEEN ? AND ?");
    for (const range of ranges) {
      const [first, last] = range;
      this.#entries.empty(range);
      records.run(first, last);
      contents.run(slotsOf(first)[0], slotsOf(last)[1]);
    }
    const action = this.#db.prepare(
      "UPDATE action SET repeatable = 0, result = NULL, charged = NULL WHERE id = ?",
    );
    for (const id of actions) action.run(id);
    const spawned = this.#db.prepare("DELETE FROM spawned WHERE action = ?");
    for (const id of spawns) spawned.run(id);
    const delegation = this.#db.prepare("DELETE FROM delegation WHERE leaf = ?");
    for (const { leaf, jti } of delegations) {
      delegation.run(leaf);
      this.#mark.run(GONE + leaf, index);
      if (jti !== undefined) this.#mark.run(GONE + jti, index);
    }
  }
}
