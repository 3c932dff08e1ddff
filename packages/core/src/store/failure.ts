import { BehestError } from "../error.ts";

export function conflict(): BehestError {
  return new BehestError(
    "action_conflict",
    "action_conflict: this id was used before, for another request. Use a new id.",
  );
}

/** Of a delegation that carries `fan_out`. */
export function childless(): BehestError {
  return new BehestError(
    "fan_out_spent",
    "fan_out_spent: no more delegations may be derived from this one. Use the ones there are.",
  );
}

export function closed(): BehestError {
  return new BehestError("store_failed", "store_failed: the store is closed.");
}

export function unattached(): BehestError {
  return new BehestError(
    "store_failed",
    "store_failed: the store is not attached. Hand it to createBehest() first.",
  );
}

export function twice(): BehestError {
  return new BehestError(
    "store_failed",
    "store_failed: the store is in use already. Make one store for one createBehest().",
  );
}

export function missing(): BehestError {
  return new BehestError(
    "store_missing",
    "store_missing: there is no log here yet. Check the path, or the URL and the tenant, or run an agent first.",
  );
}

const RESTORE =
  'Nothing was appended. Restore the database, or run "behest verify --store …" to see the first difference.';

/** The log is not what was signed, or no extension of what this process or machine has seen. */
export function mismatch(what: string, cause?: unknown): BehestError {
  return new BehestError("store_mismatch", `store_mismatch: ${what}. ${RESTORE}`, { hint: RESTORE, cause });
}

export function foreign(what: string): BehestError {
  return new BehestError(
    "store_foreign",
    `store_foreign: the file ${what}. Choose another path for the store.`,
  );
}

/** One request's own fault; its neighbours were written. */
export function unstorable(cause: unknown): BehestError {
  return new BehestError(
    "store_failed",
    "store_failed: the store cannot hold this request, and wrote nothing of it.",
    { cause },
  );
}

/** The first failure that may have touched more than its own request: nothing is written after it. */
export function broken(what: string, cause: unknown): BehestError {
  return new BehestError(
    "store_failed",
    `store_failed: ${what}. Nothing more is written; free the disk or restore access, then start again.`,
    { cause },
  );
}

/** Another process has brought a later trust manifest into force than this one was started with. */
export function superseded(): BehestError {
  return new BehestError(
    "trust_invalid",
    "trust_invalid: a newer trust manifest is in force in the log. Take it up (behest.trust), or start again with it.",
  );
}

export function skipped(): BehestError {
  return new BehestError(
    "trust_invalid",
    "trust_invalid: the trust manifest does not follow the one in force in the log. Take up each version in turn.",
  );
}
