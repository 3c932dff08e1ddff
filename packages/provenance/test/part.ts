import { toBase64url } from "@behest/jws";
import { type Shown, appendLeaf, entryHash, subtreesBetween } from "../src/index.ts";

/** The log with only some entries shown; what is hidden is never joined over one of `heads`. */
export function part(
  entries: readonly string[],
  show: (i: number) => boolean,
  heads: readonly number[] = [],
): Shown[] {
  const nodes = new Map<string, Uint8Array>();
  let frontier: readonly Uint8Array[] = [];
  for (const [i, jws] of entries.entries()) {
    const added = appendLeaf(frontier, i, entryHash(jws));
    frontier = added.frontier;
    nodes.set(`0 ${i}`, entryHash(jws));
    for (const { level, index, hash } of added.nodes) nodes.set(`${level} ${index}`, hash);
  }
  const shown: Shown[] = [];
  let from = 0;
  const hide = (to: number): void => {
    for (const { level, index } of subtreesBetween(from, to))
      shown.push({ level, hash: toBase64url(nodes.get(`${level} ${index}`)!) });
    from = to;
  };
  for (let i = 0; i <= entries.length; i++) {
    if (heads.includes(i) || i === entries.length || show(i)) hide(i);
    if (i < entries.length && show(i)) {
      shown.push(entries[i]!);
      from = i + 1;
    }
  }
  return shown;
}
