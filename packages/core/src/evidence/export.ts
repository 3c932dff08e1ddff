import { toBase64url } from "@behest/jws";
import { type EvidenceBundle, type Shown, parseCheckpoint, subtreesBetween } from "@behest/provenance";
import { listRecords } from "../record/records.ts";
import { TAKEN } from "../revocation/entry.ts";
import { ERASED, HOLD, RELEASE } from "../store/erasure.ts";
import { PRUNED } from "../store/pruning.ts";
import { TRUST } from "../store/log.ts";
import type { Engine } from "../store/types.ts";
import type { RecordsFilter } from "../types.ts";
import { Closure, type Taken } from "./closure.ts";
import { Disclosure } from "./disclosure.ts";
import { Scale } from "./scale.ts";

/** Which records evidence is wanted of; without any member, of all. */
export interface EvidenceFilter extends Omit<RecordsFilter, "session"> {
  /** Id of an action, as entries and spans name it. */
  action?: string;
  /** Id of a session; those spawned below it are meant too. */
  session?: string;
  /** Sizes of heads that others hold: nothing is hidden across them, so that they can be compared. */
  heads?: readonly number[];
}

/**
 * One file's worth of evidence: the entries of these records with all that they rest on, every entry of trust, every
 * revocation, every erasure and all that says what was pruned, what opens them as far as it is kept, and the subtrees of all that is not shown.
 * Throws `too_large` for more than verifiers read (`most` characters).
 */
export async function exportEvidence(
  engine: Engine,
  filter: EvidenceFilter = {},
  most?: number,
): Promise<EvidenceBundle> {
  const erasures = async (): Promise<number> => (await engine.recorded(ERASED)).length;
  for (;;) {
    const before = await erasures();
    const [made] = await Promise.allSettled([gathered(engine, filter, new Scale(most))]);
    // Whoever is erased meanwhile is not in it, and the log that it shows says so.
    if ((await erasures()) > before) continue;
    if (made.status === "rejected") throw made.reason;
    return made.value;
  }
}

async function gathered(engine: Engine, filter: EvidenceFilter, scale: Scale): Promise<EvidenceBundle> {
  const { session, heads = [], ...listed } = filter;
  // Before the checkpoint: what is appended meanwhile cannot make it the longer one.
  const cosigned = await engine.cosigned();
  const checkpoint = await engine.checkpoint();
  for (const note of [checkpoint, cosigned]) if (note !== undefined) scale.add(note);
  const { size } = parseCheckpoint(checkpoint);
  const closure = new Closure(engine, size, scale);
  for (const prefix of [TRUST, TAKEN, HOLD, RELEASE, ERASED, PRUNED])
    for (const index of await engine.recorded(prefix)) await closure.take(index);
  const partial = Object.keys({ ...filter, heads }).length > 1;
  if (!partial) for (let index = 0; index < size; index++) await closure.take(index);
  const listing = { ...listed, ...(session !== undefined && { session: { id: session } }) };
  const wanted = await listRecords(engine, listing);
  for (const { index } of wanted) await closure.take(index);
  const shown = [...closure.entries].toSorted(([a], [b]) => a - b);
  // What is shown of others, so that signatures add up, stays without their names.
  const whose = new Set(wanted.map(({ index }) => closure.whose(index)));
  const disclosure = new Disclosure(engine, scale, partial ? whose : undefined);
  for (const [index, { payload }] of shown) await disclosure.add(index, payload);
  for (const [, { payload }] of shown)
    if (payload.type === "revocation") await disclosure.addCut(payload, partial);
  const seen = cosigned === undefined ? [] : [parseCheckpoint(cosigned).size];
  const log = await partOf(engine, new Map(shown), { size, heads: [...heads, ...seen], scale });
  const notes = { checkpoint, ...(cosigned !== undefined && { cosigned }) };
  return { type: "behest-evidence", v: 1, ...notes, log, ...disclosure.parts };
}

/** The log with only these entries shown, cut at these sizes. */
async function partOf(
  engine: Engine,
  entries: ReadonlyMap<number, Taken>,
  { size, heads, scale }: { readonly size: number; readonly heads: readonly number[]; readonly scale: Scale },
): Promise<Shown[]> {
  const log: Shown[] = [];
  const stops = [...new Set([...entries.keys(), ...heads.filter((head) => head < size), size])];
  let from = 0;
  for (const stop of stops.toSorted((a, b) => a - b)) {
    const places = [...subtreesBetween(from, stop)];
    const hashes = await engine.subtrees(places);
    for (const [i, { level }] of places.entries()) {
      const hash = toBase64url(hashes[i]!);
      scale.add(hash);
      log.push({ level, hash });
    }
    const taken = entries.get(stop);
    if (taken) log.push(taken.jws);
    from = taken ? stop + 1 : stop;
  }
  return log;
}
