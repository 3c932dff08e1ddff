import { type ChainKeys, WORDS } from "./keys.ts";

/** Stands for a cut without a date, and for one that is never forgotten. */
const ALWAYS = 0xffff_ffff;
/** Bits of a slot that are the row's number; the others are bits of its key, which rule out most of what is not there. */
const ROW_BITS = 24;
const ROW_MASK = 2 ** ROW_BITS - 1;
const MOST = ROW_MASK;

/**
 * Cuts by key, packed: rows of 24 bytes one after the other, and a table of their numbers with open addressing. A
 * million take some 33 MB; a look-up for what is not there reads one or two slots of four bytes.
 */
export class Cuts {
  #size = 0;
  /** Key words, then the date up to which roots are cut and the time from which nobody can be concerned, in seconds. */
  #rows = new Uint32Array(16 * ROW);
  /** 0: free. Else the row's number plus one, below bits of its key. */
  #table = new Uint32Array(64);

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#rows.byteLength + this.#table.byteLength;
  }

  /** `before`: roots dated up to then; absent: all. `until`: from then on it concerns nobody; absent: never. Of two of one key the wider counts. */
  add(words: Uint32Array, { before = ALWAYS, until = ALWAYS }: Span, now: number): void {
    const found = find(this.#table, this.#rows, words, 0);
    if (found < 0) return this.#insert(words, before, until, now);
    const at = found + WORDS;
    this.#rows[at] = Math.max(this.#rows[at]!, before);
    this.#rows[at + 1] = Math.max(this.#rows[at + 1]!, until);
  }

  /** Whether one of these keys is cut for a root that was issued at `issued` (seconds). */
  concerns({ words, dated }: ChainKeys, issued: number): boolean {
    const [table, rows] = [this.#table, this.#rows];
    for (let at = 0, i = 0; at < words.length; at += WORDS, i++) {
      const row = find(table, rows, words, at);
      if (row >= 0 && (i >= dated || issued <= rows[row + WORDS]!)) return true;
    }
    return false;
  }

  #insert(words: Uint32Array, before: number, until: number, now: number): void {
    if ((this.#size + 1) * ROW > this.#rows.length) this.#grow(now);
    const row = this.#size++;
    this.#rows.set(words, row * ROW);
    this.#rows[row * ROW + WORDS] = before;
    this.#rows[row * ROW + WORDS + 1] = until;
    this.#place(row);
  }

  #place(row: number): void {
    const mask = this.#table.length - 1;
    let slot = this.#rows[row * ROW]! & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    // `>>> 0`: the mark may reach the sign bit.
    this.#table[slot] = ((markOf(this.#rows[row * ROW + 1]!) << ROW_BITS) | (row + 1)) >>> 0;
  }

  /** What can concern nobody any more goes first; room is made only where that does not free a quarter. */
  #grow(now: number): void {
    let kept = 0;
    for (let row = 0; row < this.#size; row++) {
      if (this.#rows[row * ROW + WORDS + 1]! <= now) continue;
      if (kept < row) this.#rows.copyWithin(kept * ROW, row * ROW, (row + 1) * ROW);
      kept++;
    }
    const capacity = this.#rows.length / ROW;
    if (kept > capacity * 0.75) {
      if (kept >= MOST) throw new RangeError("more cuts than can be held");
      const rows = new Uint32Array(Math.min(capacity * 2, MOST) * ROW);
      rows.set(this.#rows.subarray(0, kept * ROW));
      this.#rows = rows;
      this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(capacity * 2 * 1.5)));
    } else this.#table.fill(0);
    this.#size = kept;
    for (let row = 0; row < kept; row++) this.#place(row);
  }
}

/** Words of a row. */
const ROW: number = WORDS + 2;

interface Span {
  readonly before?: number | undefined;
  readonly until?: number | undefined;
}

/** Where the row of the key at `at` begins; -1 where there is none. */
function find(table: Uint32Array, rows: Uint32Array, words: Uint32Array, at: number): number {
  const mask = table.length - 1;
  const mark = markOf(words[at + 1]!);
  for (let slot = words[at]! & mask; ; slot = (slot + 1) & mask) {
    const held = table[slot]!;
    if (held === 0) return -1;
    if (held >>> ROW_BITS !== mark) continue;
    const from = ((held & ROW_MASK) - 1) * ROW;
    if (
      rows[from] === words[at] &&
      rows[from + 1] === words[at + 1] &&
      rows[from + 2] === words[at + 2] &&
      rows[from + 3] === words[at + 3]
    )
      return from;
  }
}

/** Bits of the key that the slot's place does not tell. */
function markOf(word: number): number {
  return word & (2 ** (32 - ROW_BITS) - 1);
}
