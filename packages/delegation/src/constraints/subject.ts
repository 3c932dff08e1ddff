import { type Json, canonical } from "@behest/jws";
import { type Effort, UNBOUNDED, spend } from "./effort.ts";
import { type Address, parseAddress } from "./email.ts";
import { keysOf } from "./equality.ts";
import { type Path, readPath } from "./path.ts";
import { type Target, readUrl } from "./url.ts";

/** What is decoded again and again, or normalised. */
const FOLDED = /[^\x20-\x24\x26-\x7e]/;

/**
 * A value that constraints are checked on. What they ask of it is read once, so that a hundred clauses cost one reading
 * and a hundred comparisons. `undefined` where it cannot be read so, or there is not enough effort left to try.
 */
export class Subject {
  readonly value: Json;
  readonly effort: Effort;
  // `null`: not read yet.
  #path: Path | undefined | null = null;
  #url: Target | undefined | null = null;
  #address: Address | undefined | null = null;
  #text: string | undefined;
  #elements: ReadonlySet<Json> | undefined | null = null;

  constructor(value: Json, effort: Effort = UNBOUNDED) {
    this.value = value;
    this.effort = effort;
  }

  get path(): Path | undefined {
    if (this.#path === null) this.#path = this.#read(readPath);
    return this.#path;
  }

  get url(): Target | undefined {
    if (this.#url === null) this.#url = this.#read(readUrl);
    return this.#url;
  }

  get address(): Address | undefined {
    if (this.#address === null) this.#address = this.#read(parseAddress);
    return this.#address;
  }

  /** Canonical JSON. */
  get text(): string {
    return (this.#text ??= canonical(this.value));
  }

  /** The keys of an array's elements (equality.ts). */
  get elements(): ReadonlySet<Json> | undefined {
    if (this.#elements === null)
      this.#elements = Array.isArray(this.value)
        ? keysOf(this.value as readonly Json[], this.effort)
        : undefined;
    return this.#elements;
  }

  #read<T>(reader: (text: string) => T | undefined): T | undefined {
    const { value, effort } = this;
    if (typeof value !== "string") return undefined;
    return spend(effort, (FOLDED.test(value) ? 32 : 8) * (8 + value.length)) ? reader(value) : undefined;
  }
}

const examined = new WeakMap<Effort, Map<Json, Subject>>();

/** One for all comparisons that share the effort. */
export function subjectOf(value: Json, effort: Effort): Subject {
  const known = examined.get(effort) ?? new Map<Json, Subject>();
  examined.set(effort, known);
  const subject = known.get(value) ?? new Subject(value, effort);
  known.set(value, subject);
  return subject;
}
