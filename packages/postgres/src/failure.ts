import { BehestError } from "@behest/core";

/**
 * What has become of PostgreSQL. Its own errors quote rows, names and addresses, and the URL has the password in it:
 * only their code is passed on.
 */
export function failed(error: unknown): BehestError {
  if (BehestError.isInstance(error)) return error;
  const code = (error as { code?: unknown }).code;
  const why = typeof code === "string" && /^[A-Z0-9_]{5,40}$/.test(code) ? ` (${code})` : "";
  return new BehestError(
    "store_failed",
    `store_failed: the feed of revocations did not take or answer this${why}. Check that PostgreSQL runs and can be reached.`,
  );
}

export function closed(): BehestError {
  return new BehestError("store_failed", "store_failed: the feed of revocations is closed.");
}
