import { toBase64url } from "@behest/jws";
import { type Shown, subtreesBetween } from "@behest/provenance";
import type { Engine } from "../store/types.ts";

const PAGE = 1000;

/** The log from its beginning: entries as signed, and the largest subtrees over those that were pruned, none of them across one of `heads` (sizes). */
export async function* shownIn(engine: Engine, heads: readonly number[] = []): AsyncGenerator<Shown> {
  const stops = heads.toSorted((a, b) => a - b);
  /** Shown up to here; what follows and was read was pruned. */
  let next = 0;
  const hidden = async (to: number): Promise<Shown[]> => {
    const places = [...stops.filter((stop) => stop > next && stop < to), to].flatMap((stop) => {
      const between = [...subtreesBetween(next, stop)];
      next = stop;
      return between;
    });
    const hashes = await engine.subtrees(places);
    return places.map(({ level }, i) => ({ level, hash: toBase64url(hashes[i]!) }));
  };
  for (let from = 0; ; from += PAGE) {
    const page = await engine.entries(from, PAGE);
    for (const [i, jws] of page.entries()) {
      if (jws === "") continue;
      if (next < from + i) yield* await hidden(from + i);
      yield jws;
      next++;
    }
    if (page.length === PAGE) continue;
    const size = from + page.length;
    if (next < size) yield* await hidden(size);
    return;
  }
}
