import type { TrustEntry } from "@behest/provenance";
import {
  type Emitter,
  type HeadRow,
  type Identity,
  damaged,
  takesUp,
  trustDraft,
  trustEntryOf,
  trustKey,
} from "@behest/core/store";
import type { Client } from "pg";
import { MINE } from "../tenant.ts";
import { find } from "./find.ts";
import type { Job } from "./log.ts";
import { hashOf, leafAt } from "./shapes.ts";
import type { Known, Work } from "./work.ts";

/** The trust entry at an index, which must be the one in the tree. */
export async function trustAt(client: Client, index: number): Promise<TrustEntry> {
  const { rows } = await client.query<{ readonly jws: string; readonly hash: string }>(
    `SELECT jws, ${leafAt("$1")} AS hash FROM behest_entry WHERE ${MINE} AND idx = $1`,
    [index],
  );
  const [found] = rows;
  if (!found) throw damaged(index);
  return trustEntryOf(found.jws, hashOf(found.hash));
}

/** The first entry of a key. */
export function certify(
  work: Work,
  identity: Identity,
  found: HeadRow | undefined,
  withManifest: boolean,
): void {
  const { index, hash } = work.place(trustDraft(identity, work.now, withManifest));
  const key = trustKey(index);
  work.isolated(() => work.found.once.add(key, { key, idx: index, hash }));
  work.trust = { certificate: index, manifest: withManifest || !found ? index : found.manifest };
}

/** Another key from now on: a transaction of its own. Whoever asks has verified it. */
export function rotation(emitter: Emitter): Job<void, Known & { readonly inForce: string }> {
  return {
    emitter,
    async find(client, { row }) {
      const { manifest = "" } = await trustAt(client, row?.manifest ?? 0);
      return { ...(await find(client, [], [])), inForce: manifest };
    },
    perform: (work, { row }, { inForce }) => certify(work, emitter.identity, row, takesUp(emitter, inForce)),
  };
}
