import type { Replay } from "@behest/delegation";
import { sha256Text } from "@behest/jws";
import type { Engine } from "./types.ts";

/** Proofs spent in the store: once among all its processes, and still after a restart. */
export function spentIn(engine: Engine): Replay {
  return {
    // Only the store's own transaction can tell.
    has: () => false,
    // Holders choose their ids, up to the size of a proof.
    add: (jti, until) => engine.spend(sha256Text(jti), Math.ceil(until * 1000)),
  };
}
