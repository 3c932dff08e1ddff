import type { Deployment } from "../deployment.ts";
import { BehestError } from "../error.ts";

/** Somebody was erased, here or by another process: whatever goes on in that name in this one ends. */
export function endErased({ erased, revocations }: Deployment, pseudonym: string): void {
  erased.add(pseudonym);
  revocations.endOf(
    pseudonym,
    new BehestError("principal_erased", "principal_erased: what was kept of its principal was erased."),
  );
}

export function isErasure(error: unknown): boolean {
  return BehestError.isInstance(error) && error.code === "principal_erased";
}
