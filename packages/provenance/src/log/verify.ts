import { fromBase64url, toBase64url } from "@behest/jws";
import { type ParsedCheckpoint, headOf, parseCheckpoint, signedBy } from "../checkpoint.ts";
import { entryHash, parseEntry } from "../entry.ts";
import { rolesAt } from "../manifest.ts";
import { parsePayload } from "../parse-payload.ts";
import type { EntryType } from "../payload.ts";
import { type Frontier, type Head, appendLeaf, appendSubtree, equal, rootOf } from "../tree.ts";
import type { WitnessPolicy } from "../witness-policy.ts";
import { Heads } from "./heads.ts";
import { Keys, coversTime } from "./keys.ts";
import { Prunings } from "./prunings.ts";
import { Records } from "./records.ts";
import { Findings, type LogReport, Refusal } from "./report.ts";
import { Witnesses } from "./witnesses.ts";

/** 2^level entries that are not shown: the root of the subtree over them, which begins where one that large may. */
export interface Hidden {
  readonly level: number;
  /** SHA-256, base64url. */
  readonly hash: string;
}

/** What a part of a log shows in log order: an entry as signed, or what stands in the place of several. */
export type Shown = string | Hidden;

export interface LogEvidence {
  /** The log from its beginning to its end: every entry, or some and the subtrees of the rest. Read once. */
  readonly entries: Iterable<Shown> | AsyncIterable<Shown>;
  /** Nothing is hidden but what was pruned: what else is, is missing. Default: a part of a log may hide anything. */
  readonly whole?: boolean;
  /** The signed note over all of them. */
  readonly checkpoint: string;
  /** RFC 7638 thumbprint of the owner's key: all that is taken on trust. */
  readonly owner: string;
  /** A head that somebody else kept (a witness, a copy, a span). */
  readonly head?: Head;
  /** More of them, such as those that spans carry; each is compared. */
  readonly heads?: readonly Head[];
  /** Checkpoints of this log with the cosignatures of witnesses, at whatever size they saw it. */
  readonly cosigned?: readonly string[];
  /** Whose cosignatures are asked for; fewer are `witnesses_missing`. Default: none. */
  readonly witnesses?: WitnessPolicy;
}

/**
 * Verifies a whole log, offline, from the owner's thumbprint: manifest, certificates, every signature, the tree,
 * the checkpoint, the emitters' counting, links, decisions, attempts and outcomes. Never throws for what it reads:
 * whatever is not proven is a finding. Of a part of a log it says the same of what is shown: that each entry stands in
 * this log, at its index, and what an entry that is not shown would have changed cannot be told. Content and tokens are not in the log and are not looked at. Memory grows
 * with the number of entries (hashes and names), not with their size.
 */
export async function verifyLog(evidence: LogEvidence): Promise<LogReport> {
  const reading = new Reading(evidence);
  await reading.open();
  for await (const shown of evidence.entries) {
    if (!reading.expectsMore()) break;
    if (typeof shown === "string") await reading.read(shown);
    else if (!reading.passOver(shown)) break;
  }
  return reading.close();
}

class Reading {
  readonly #evidence: LogEvidence;
  readonly #findings = new Findings();
  readonly #keys: Keys;
  readonly #prunings = new Prunings(this.#findings);
  readonly #records = new Records(this.#findings, this.#prunings);
  readonly #counts: { [type in EntryType]: number } = {
    trust: 0,
    delegation: 0,
    interaction: 0,
    approval: 0,
    action: 0,
    outcome: 0,
    revocation: 0,
    erasure: 0,
    access: 0,
    pruning: 0,
  };
  #stated: ParsedCheckpoint | undefined;
  #frontier: Frontier = [];
  #size = 0;
  #lastAt = "";
  /** Entries that were passed over. */
  #hidden = 0;
  readonly #heads = new Heads();
  readonly #witnesses: Witnesses;

  constructor(evidence: LogEvidence) {
    this.#evidence = evidence;
    this.#witnesses = new Witnesses(evidence.witnesses, this.#findings);
    this.#keys = new Keys(evidence.owner, this.#findings);
  }

  async open(): Promise<void> {
    this.#stated = await this.#findings.collect(0, "log", () => parseCheckpoint(this.#evidence.checkpoint));
    for (const head of this.#held) this.#heads.add(head, "held");
    for (const note of this.#evidence.cosigned ?? []) await this.#witnesses.add(note, this.#heads);
    this.#heads.pass(0, []);
  }

  /** False, with a finding, when the checkpoint does not cover what comes now. */
  expectsMore(): boolean {
    if (this.#size !== this.#stated?.size) return true;
    this.#findings.fail(
      this.#size,
      "log",
      "entries_beyond_checkpoint",
      "entries from here on are under no checkpoint",
    );
    return false;
  }

  async read(jws: string): Promise<void> {
    const index = this.#size;
    this.#frontier = appendLeaf(this.#frontier, index, entryHash(jws)).frontier;
    this.#size = index + 1;
    this.#heads.pass(this.#size, this.#frontier);
    await this.#findings.collect(index, "entry", async () => {
      const entry = parseEntry(jws);
      const payload = parsePayload(entry.payload);
      await this.#keys.admit(index, entry, payload);
      this.#lastAt = payload.at;
      this.#prunings.shown(payload.at);
      this.#counts[payload.type]++;
      await this.#records.add(index, entry.hash, payload, this.#keys);
    });
  }

  /** False, with a finding, where no such subtree can stand here. */
  passOver({ level, hash }: Hidden): boolean {
    try {
      const root = fromBase64url(hash);
      if (!Number.isSafeInteger(level) || level < 0 || level > 52 || root.length !== 32)
        throw new RangeError();
      this.#frontier = appendSubtree(this.#frontier, this.#size, { level, hash: root }).frontier;
    } catch {
      this.#findings.fail(
        this.#size,
        "log",
        "malformed_subtree",
        "what stands for entries here is no subtree",
      );
      return false;
    }
    this.#prunings.passOver(this.#size, 2 ** level);
    this.#size += 2 ** level;
    this.#hidden += 2 ** level;
    this.#keys.passOver(2 ** level);
    this.#heads.pass(this.#size, this.#frontier);
    return true;
  }

  async close(): Promise<LogReport> {
    const size = this.#size;
    if (size === 0)
      this.#findings.fail(0, "log", "trust_missing", "a log without entries shows no trust manifest");
    this.#records.finish();
    const stated = await this.#findings.collect(size, "log", () => this.#checkCheckpoint());
    const consistent = this.#heads.settle(size, this.#findings) && stated === true;
    const { origin, rung } = this.#keys.manifest ?? {};
    const cosigned = await this.#witnesses.settle(stated ? this.#stated : undefined, {
      origin,
      size,
      heads: this.#heads,
      witnessesAt: (index) => this.#keys.witnessesAt(index),
    });
    const { whole = false } = this.#evidence;
    const pruned = this.#prunings.settle(size, { whole, witnessed: this.#witnesses.seen });
    const [head] = [...this.#held, ...(cosigned ? [cosigned] : [])].toSorted((a, b) => b.size - a.size);
    return {
      ok: this.#findings.ok,
      ...(origin === undefined ? {} : { origin }),
      ...(rung && { rung }),
      size,
      root: toBase64url(rootOf(this.#frontier)),
      hidden: this.#hidden,
      pruned,
      proven: this.#findings.proven(size) - this.#hidden,
      counts: { ...this.#counts, principals: this.#records.principals },
      observed: this.#records.observed,
      erased: this.#records.erased,
      findings: this.#findings.list,
      witnessed: this.#witnesses.seen,
      completeness: !consistent
        ? "not consistent"
        : head
          ? `complete up to ${headOf(head)}`
          : "consistent, not proven complete",
    };
  }

  get #held(): readonly Head[] {
    const { head, heads = [] } = this.#evidence;
    return head ? [head, ...heads] : heads;
  }

  async #checkCheckpoint(): Promise<boolean> {
    const stated = this.#stated;
    if (!stated) return false;
    if (stated.size > this.#size) {
      this.#findings.add(
        this.#size,
        "log",
        "missing",
        "entries_missing",
        "the checkpoint covers more entries than are shown",
      );
      return false;
    }
    if (!equal(stated.root, rootOf(this.#frontier)))
      throw new Refusal("log", "root_mismatch", "the entries do not add up to the checkpoint's root");
    const manifest = this.#keys.manifest;
    if (manifest && stated.origin !== manifest.origin)
      throw new Refusal("log", "origin_mismatch", "the checkpoint is of another log than the trust manifest");
    const enforcers = rolesAt(manifest?.enforcers ?? [], stated.size - 1);
    for (const { key, certificate } of this.#keys.certified) {
      const trusted = enforcers.some(({ jwk }) => jwk.x === certificate.enforcer.x);
      if (trusted && coversTime(certificate, this.#lastAt) && (await signedBy(stated, key))) return true;
    }
    throw new Refusal("log", "signature_invalid", "no entry key in force signed the checkpoint");
  }
}
