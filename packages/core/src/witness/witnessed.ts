import { type NamedKey, cosignaturesOf, headOf, parseCheckpoint } from "@behest/provenance";
import type { Engine } from "../store/types.ts";

/** The newest head of the log that witnesses have cosigned. */
export interface Witnessed {
  /** Entries up to which nothing can be taken back unnoticed. */
  readonly size: number;
  /** `size:root`, as spans carry it. */
  readonly head: string;
  /** Who has cosigned it, and when: ms since the epoch, as they say. */
  readonly by: readonly { readonly name: string; readonly at: number }[];
}

/** Undefined where there is none, or none of these witnesses' cosignatures under it verifies. */
export async function witnessedIn(
  engine: Pick<Engine, "cosigned">,
  witnesses: readonly NamedKey[],
): Promise<Witnessed | undefined> {
  const note = await engine.cosigned();
  if (note === undefined) return undefined;
  const checkpoint = parseCheckpoint(note);
  const found = await cosignaturesOf(checkpoint, witnesses);
  const by = new Map(found.map(({ name, at, jwk }) => [jwk.x, { name, at: at * 1000 }]));
  if (by.size === 0) return undefined;
  return { size: checkpoint.size, head: headOf(checkpoint), by: [...by.values()] };
}
