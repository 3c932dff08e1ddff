import { publicKey } from "@behest/jws";
import { type ParsedCheckpoint, parseCheckpoint, signedBy } from "../checkpoint.ts";
import { type Cosignature, cosignaturesOf } from "../cosignature.ts";
import { ProvenanceError } from "../error.ts";
import type { Head } from "../tree.ts";
import type { NamedKey } from "../vkey.ts";
import { type WitnessPolicy, isMet, keysIn } from "../witness-policy.ts";
import type { Heads } from "./heads.ts";
import { type Findings, Refusal, type Witnessed } from "./report.ts";

/** What is known of the log when its cosignatures are looked at. */
interface Known {
  readonly origin: string | undefined;
  readonly size: number;
  readonly heads: Heads;
  /** Witnesses that the trust manifest names at a log index. */
  readonly witnessesAt: (index: number) => readonly NamedKey[];
}

/** Checkpoints that witnesses have cosigned, and whether there are enough of them. */
export class Witnesses {
  readonly #policy: WitnessPolicy | undefined;
  readonly #findings: Findings;
  readonly #notes: ParsedCheckpoint[] = [];
  /** The largest that each has cosigned, by `x` of its key. */
  readonly #seen = new Map<string, Witnessed & NamedKey & { readonly head: Head }>();

  constructor(policy: WitnessPolicy | undefined, findings: Findings) {
    this.#policy = policy;
    this.#findings = findings;
  }

  /** One that was kept; its head is compared with the log. */
  async add(note: string, heads: Heads): Promise<void> {
    const parsed = await this.#findings.collect(0, "witness", () => parseCheckpoint(note));
    if (!parsed) return;
    heads.add(parsed, "cosigned");
    this.#notes.push(parsed);
  }

  /** Who has cosigned what of this log. */
  get seen(): readonly Witnessed[] {
    return [...this.#seen.values()].map(({ name, at, size }) => ({ name, at, size }));
  }

  /**
   * The largest head that the policy is met for, or, without one, that any witness of the manifest has cosigned.
   * `stated`: the log's own checkpoint, where the log is what it states.
   */
  async settle(stated: ParsedCheckpoint | undefined, known: Known): Promise<Head | undefined> {
    for (const note of stated ? [stated, ...this.#notes] : this.#notes)
      await this.#findings.collect(known.size, "witness", async () => {
        const cosigned = await this.#read(note, known);
        if (note === stated || known.heads.contains(note)) this.#note(note, cosigned);
      });
    const policy = this.#policy;
    const asked = policy && policy.need > 0 ? policy : undefined;
    const found = [...this.#seen.values()].toSorted((a, b) => b.size - a.size);
    const best = found.find(({ size }) => !asked || isMet(this.#filled(asked), this.#reaching(size)));
    if (asked && !best)
      this.#findings.add(
        known.size,
        "witness",
        "missing",
        "witnesses_missing",
        `fewer witnesses have cosigned this log than the ${asked.need} that are asked for`,
      );
    return best?.head;
  }

  async #read(note: ParsedCheckpoint, { origin, witnessesAt }: Known): Promise<readonly Cosignature[]> {
    if (origin !== undefined && note.origin !== origin)
      throw new Refusal("witness", "origin_mismatch", "a cosigned checkpoint is of another log");
    const pinned = keysIn(this.#policy ?? { need: 0 });
    const keys = [...witnessesAt(note.size - 1), ...pinned];
    const distinct = new Map(keys.map((key) => [`${key.name} ${key.jwk.x}`, key]));
    const cosigned = await cosignaturesOf(note, [...distinct.values()]).catch((error: unknown) => {
      if (!(error instanceof ProvenanceError)) throw error;
      throw new Refusal("witness", "cosignature_invalid", error.message);
    });
    const logs = this.#policy?.logs ?? [];
    if (logs.length === 0) return cosigned;
    for (const { name, jwk } of logs)
      if (name === note.origin && (await signedBy(note, publicKey(jwk)))) return cosigned;
    return [];
  }

  #note({ size, root }: Head, cosigned: readonly Cosignature[]): void {
    for (const { name, jwk, at } of cosigned) {
      const before = this.#seen.get(jwk.x);
      if (!before || before.size < size || (before.size === size && before.at < at))
        this.#seen.set(jwk.x, { name, at, size, jwk, head: { size, root } });
    }
  }

  /** Whoever has cosigned a longer log has cosigned this one: its entries are the other's first. */
  #reaching(size: number): (key: NamedKey) => boolean {
    return ({ jwk }) => (this.#seen.get(jwk.x)?.size ?? -1) >= size;
  }

  /** Without keys of the caller's, those of the manifest that were met: each held where it cosigned. */
  #filled(policy: WitnessPolicy): WitnessPolicy {
    return policy.keys ? policy : { ...policy, keys: [...this.#seen.values()] };
  }
}
