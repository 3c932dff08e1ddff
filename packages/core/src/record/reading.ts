import { randomBytes, toBase64url } from "@behest/jws";
import { type AccessEntry, type EvidenceBundle, parseEntry, parsePayload } from "@behest/provenance";
import type { Deployment } from "../deployment.ts";
import { type EvidenceFilter, exportEvidence } from "../evidence/export.ts";
import { ACCESS } from "../store/erasure.ts";
import type { ActionRecord, FullRecord, RecordsFilter } from "../types.ts";
import { joinRecord } from "./joined.ts";
import { entryText } from "./record.ts";
import { listRecords } from "./records.ts";

/** Who reads is a principal of this issuer: named by a pseudonym, found by nothing that agents do, and erased like any. */
const READERS = "behest:readers";

/** What somebody is shown, once the log says that it was. */
export interface Reading {
  records(filter?: RecordsFilter): Promise<ActionRecord[]>;
  record(index: number): Promise<FullRecord | undefined>;
  evidence(filter?: EvidenceFilter): Promise<EvidenceBundle>;
}

/** What somebody was shown. */
export interface Access {
  /** Of its entry. */
  readonly index: number;
  /** ms since the epoch. */
  readonly at: number;
  /** `(erased)` where that person was. */
  readonly by: string;
  readonly what: AccessEntry["what"];
  /** Subjects of those whom it was about, as far as they are known. */
  readonly principals: readonly string[];
}

/** Reads for a person, who is not authenticated here: whoever calls says who it is. */
export function readingAs({ engine, clock, pending }: Deployment, person: string): Reading {
  /** Durable before anything is handed out: what cannot be recorded is not shown. */
  const recorded = async (what: AccessEntry["what"], principals: readonly string[]): Promise<void> => {
    const { pseudonym } = await engine.principal(READERS, person);
    const entry: AccessEntry = {
      at: new Date(clock()).toISOString(),
      by: pseudonym,
      content: {},
      links: {},
      principals: [...new Set(principals)].toSorted(),
      type: "access",
      v: 1,
      what,
    };
    const once = `${ACCESS}${pseudonym}:${toBase64url(randomBytes(16))}`;
    await engine.append({ entry: entryText(entry), principal: pseudonym, once });
  };
  return {
    async records(filter) {
      await Promise.all(pending);
      const found = await listRecords(engine, filter);
      const shown = new Set(found.map(({ index }) => index));
      const rows = await engine.records({});
      await recorded(
        "records",
        rows.flatMap(({ index, principal }) => (shown.has(index) ? [principal] : [])),
      );
      return found;
    },
    async record(index) {
      await Promise.all(pending);
      const found = await joinRecord(engine, index);
      const [row] = found ? await engine.records({ index }) : [];
      await recorded("record", row ? [row.principal] : []);
      return found;
    },
    async evidence(filter) {
      const bundle = await exportEvidence(engine, filter);
      await recorded("evidence", Object.keys(bundle.principals));
      return bundle;
    },
  };
}

/** What was read by persons, in log order. */
export async function accesses({ engine }: Pick<Deployment, "engine">): Promise<readonly Access[]> {
  const found: Access[] = [];
  const nameOf = async (pseudonym: string): Promise<string> =>
    (await engine.subject(pseudonym))?.subject ?? "(erased)";
  for (const index of [...(await engine.recorded(ACCESS))].toSorted((a, b) => a - b)) {
    const [jws] = await engine.entries(index, 1);
    const entry = parsePayload(parseEntry(jws!).payload);
    if (entry.type !== "access") continue;
    const { at, by, what } = entry;
    const principals = await Promise.all(entry.principals.map(nameOf));
    found.push({ index, at: Date.parse(at), by: await nameOf(by), what, principals });
  }
  return found;
}
