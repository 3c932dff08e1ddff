import { retentionOf } from "../manifest.ts";
import type { PruningEntry } from "../payload.ts";
import { type Keys, SKEW } from "./keys.ts";
import { type Findings, Refusal, type Witnessed } from "./report.ts";

/** Entries that are not shown: from `from` up to `to`. */
interface Gap {
  readonly from: number;
  to: number;
  /** The latest time that an entry shown before them says, ms since the epoch. */
  readonly since: number;
}

interface Range {
  readonly first: number;
  readonly last: number;
  /** ms since the epoch. */
  readonly before: number;
  /** Index of the entry that says so. */
  readonly by: number;
  /** When it was old enough at the earliest, ms since the epoch. */
  readonly due: number;
}

/** What the log says of entries whose text is gone, held against what is not shown, and whether they were to go. */
export class Prunings {
  readonly #findings: Findings;
  readonly #gaps: Gap[] = [];
  readonly #ranges: Range[] = [];
  #latest = Number.NEGATIVE_INFINITY;
  /** The latest of {@link Range.due} that no later entry has told to be wrong. */
  #due = Number.NEGATIVE_INFINITY;
  /** Indexes of entries that a later one shows to have come too early. */
  readonly #early = new Set<number>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** An entry is shown and proven. */
  shown(at: string): void {
    const time = Date.parse(at);
    this.#latest = Math.max(this.#latest, time);
    // Written later, and yet before what was pruned was old enough: a clock had been set ahead.
    if (time + SKEW >= this.#due) return;
    for (const { by, due } of this.#ranges) if (time + SKEW < due) this.#early.add(by);
    this.#due = time + SKEW;
  }

  /** So many are not shown from `from` on. */
  passOver(from: number, entries: number): void {
    const last = this.#gaps.at(-1);
    if (last?.to === from) last.to += entries;
    else this.#gaps.push({ from, to: from + entries, since: this.#latest });
  }

  add(index: number, { at, before, ranges, counts }: PruningEntry, keys: Keys, held: boolean): void {
    let next = 0;
    let covered = 0;
    for (const [first, last] of ranges) {
      if (first < next || last < first || last >= index)
        throw mismatch("its ranges are not in order, or not of entries before it");
      next = last + 1;
      covered += last - first + 1;
    }
    if (Object.values(counts).reduce((sum, one) => sum + one, 0) !== covered)
      throw mismatch("its counts are not of as many entries as its ranges");
    const time = Date.parse(before);
    const due = time + (keys.manifest ? retentionOf(keys.manifest) : 0);
    // What is gone is gone, whether it should have been or not.
    for (const [first, last] of ranges) this.#ranges.push({ first, last, before: time, by: index, due });
    this.#due = Math.max(this.#due, due);
    if (held)
      throw new Refusal("pruning", "pruned_under_hold", "pruned while a hold on everybody was in force");
    if (due > Date.parse(at) + SKEW) throw new Refusal("pruning", "pruned_early", "pruned before its time");
  }

  /**
   * At the end of a log of `size` entries. `whole`: nothing else may be hidden. Answers with how many were pruned.
   */
  settle(size: number, { whole, witnessed }: { whole: boolean; witnessed: readonly Witnessed[] }): number {
    for (const index of this.#early)
      this.#fail(index, "pruned_early", "pruned at a time that was not yet when later entries were written");
    const ranges = this.#ranges.toSorted((a, b) => a.first - b.first);
    let pruned = 0;
    let next = 0;
    let at = 0;
    for (const range of ranges) {
      const { first, last, by, before } = range;
      if (first < next) this.#fail(by, "pruning_mismatch", "an entry is pruned twice");
      next = Math.max(next, last + 1);
      while ((this.#gaps[at]?.to ?? size) <= first) at++;
      const gap = this.#gaps[at];
      if (!gap || gap.from > first || gap.to <= last)
        this.#fail(by, "not_pruned", "entries that it says are gone are shown");
      else if (gap.since >= before || witnessed.some((seen) => contradicts(seen, range)))
        this.#fail(by, "pruned_early", "entries that it says are old were not");
      if (gap) pruned += Math.max(0, Math.min(gap.to, last + 1) - Math.max(gap.from, first));
    }
    const hidden = this.#gaps.reduce((sum, { from, to }) => sum + to - from, 0);
    this.#tell(size, { pruned, others: hidden - pruned, whole });
    return pruned;
  }

  #tell(size: number, { pruned, others, whole }: { pruned: number; others: number; whole: boolean }): void {
    if (pruned > 0) {
      const latest = this.#ranges.reduce((last, { before }) => Math.max(last, before), 0);
      const message = `${pruned} of ${size} entries, recorded before ${new Date(latest).toISOString()}`;
      this.#findings.add(size, "log", "pruned", "entries_pruned", message);
    }
    if (others > 0)
      this.#findings.add(
        size,
        "log",
        whole ? "missing" : "not_shown",
        "entries_hidden",
        whole
          ? `${others} of ${size} entries, and no entry says that they were pruned`
          : `${others} of ${size} entries; revocations and later trust manifests may be among them`,
      );
  }

  #fail(index: number, code: "pruning_mismatch" | "not_pruned" | "pruned_early", message: string): void {
    this.#findings.fail(index, "pruning", code, message);
  }
}

/** A witness had not seen these entries yet when they are said to have been old, or saw that they were gone before it was time. */
function contradicts({ at, size }: Witnessed, { last, before, by, due }: Range): boolean {
  const time = at * 1000;
  return last >= size ? time >= before + SKEW : by < size && time + SKEW < due;
}

function mismatch(message: string): Refusal {
  return new Refusal("pruning", "pruning_mismatch", message);
}
