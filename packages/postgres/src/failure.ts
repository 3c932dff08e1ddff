import { BehestError } from "@behest/core";

/**
 * What has become of PostgreSQL, as far as `what` is concerned. Its own errors quote rows, names and addresses, and the URL has the password in it:
 * only their code is passed on.
 */
export function failed(what: string, error: unknown): BehestError {
  if (BehestError.isInstance(error)) return error;
  const { code } = error as { code?: unknown };
  const known = typeof code === "string" && /^[A-Z0-9_]{5,40}$/.test(code) ? code : "";
  const why = known && ` (${known})`;
  return new BehestError(
    "store_failed",
    `store_failed: ${what} did not take or answer this${why}. ${adviceFor(known)}`,
  );
}

/** By SQLSTATE, or the operating system's code. */
function adviceFor(code: string): string {
  if (code === "42501")
    return "Its role lacks the right: grant it what the README of @behest/postgres names.";
  if (code.startsWith("28"))
    return "PostgreSQL refuses the login: check the user and the password in the URL.";
  if (code === "3D000") return "There is no such database: check its name in the URL, or create it.";
  if (code === "ENOTFOUND") return "There is no such host: check its name in the URL.";
  return "Check that PostgreSQL runs and can be reached.";
}

export function closed(what: string): BehestError {
  return new BehestError("store_failed", `store_failed: ${what} is closed.`);
}
