import { BehestError } from "@behest/core";

/**
 * What has become of PostgreSQL, as far as `what` is concerned. Its own errors quote rows, names and addresses, and the URL has the password in it:
 * only their code is passed on.
 */
export function failed(what: string, error: unknown): BehestError {
  if (BehestError.isInstance(error)) return error;
  const code = (error as { code?: unknown }).code;
  const why = typeof code === "string" && /^[A-Z0-9_]{5,40}$/.test(code) ? ` (${code})` : "";
  return new BehestError(
    "store_failed",
    `store_failed: ${what} did not take or answer this${why}. Check that PostgreSQL runs and can be reached.`,
  );
}

export function closed(what: string): BehestError {
  return new BehestError("store_failed", `store_failed: ${what} is closed.`);
}
