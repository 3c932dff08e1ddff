import { type EvidenceBundle, type Shown, parseCheckpoint } from "@behest/provenance";
import { type EvidenceFilter, exportEvidence } from "../evidence/export.ts";
import { joinEntries, joinRecord } from "./joined.ts";
import { type OcsfEvent, ocsfEvent } from "./ocsf.ts";
import { listRecords } from "./records.ts";
import { openDelegation } from "../session/lineage.ts";
import { shownIn } from "./shown.ts";
import { principalOf } from "./principal.ts";
import { type SeenTool, type Store, engine as engineOf } from "../store/types.ts";
import type { ActionRecord, FullRecord, RecordsFilter } from "../types.ts";

/** A store read from outside the process that writes it: no key, no lease, nothing changed. */
export interface Reader {
  records(filter?: RecordsFilter): Promise<ActionRecord[]>;
  /** The record whose `action` entry stands at `index`, with all its entries. */
  record(index: number): Promise<FullRecord | undefined>;
  /** Records as events of OCSF 1.9.0 (API Activity, with `delegation`): what the records show, and ids; no content. */
  ocsf(records: Iterable<ActionRecord>): AsyncGenerator<OcsfEvent>;
  /** Entries as they were signed, in log order, without those that were pruned. */
  entries(): AsyncGenerator<string>;
  /**
   * The same with the subtrees of those that were pruned in their place: for `verifyLog`. `heads`: sizes of heads that
   * others hold; no subtree stands across one, so that they can be compared.
   */
  log(heads?: readonly number[]): AsyncGenerator<Shown>;
  /** The last signed checkpoint. */
  checkpoint(): Promise<string>;
  /** Everything a stranger needs to verify these records, offline, but the owner's thumbprint. Rejects with `too_large` for more than one file holds. */
  evidence(filter?: EvidenceFilter): Promise<EvidenceBundle>;
  /** The newest checkpoint that was kept with the cosignatures of witnesses. */
  cosigned(): Promise<string | undefined>;
  /** How tools were met by the middleware. */
  coverage(): Promise<readonly SeenTool[]>;
  /** A delegation's chain, by its leaf hash; undefined when unknown or erased. */
  chain(leaf: string): Promise<{ readonly chain: readonly string[]; readonly agent?: string } | undefined>;
  /** Who a pseudonym stands for; undefined after erasure. */
  subject(pseudonym: string): Promise<{ readonly issuer: string; readonly subject: string } | undefined>;
  close(): Promise<void>;
}

/** Reads a store without attaching to it. Throws `store_missing`, `store_foreign`. */
export function readStore(store: Store): Reader {
  const engine = store[engineOf];
  return {
    records: (filter) => listRecords(engine, filter),
    record: (index) => joinRecord(engine, index),
    async *ocsf(records) {
      const { origin } = parseCheckpoint(await engine.checkpoint());
      for (const { index } of records) {
        const joined = await joinEntries(engine, index);
        if (joined) yield ocsfEvent(joined.record, origin);
      }
    },
    async *entries() {
      for await (const shown of shownIn(engine)) if (typeof shown === "string") yield shown;
    },
    log: (heads) => shownIn(engine, heads),
    checkpoint: () => engine.checkpoint(),
    evidence: (filter) => exportEvidence(engine, filter),
    cosigned: () => engine.cosigned(),
    coverage: () => engine.coverage(),
    async chain(leaf) {
      const row = await engine.delegationOf(leaf);
      const who = row && (await principalOf(engine, row.principal));
      return who && openDelegation(who.vault, row);
    },
    async subject(pseudonym) {
      const row = await engine.subject(pseudonym);
      return row && { issuer: row.issuer, subject: row.subject };
    },
    close: () => engine.close(),
  };
}
