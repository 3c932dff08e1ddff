import type { LiveSession } from "../session/live.ts";

/** How often a list is looked at while a body runs, ms; it is fetched again only when its `ttl` is over. */
const LOOK = 1_000;

/**
 * Looks at the status list of a session's issuer, where it has one, while a body runs: what is marked meanwhile fires
 * its signal. What cannot be told now stops nothing that has started. Answers with what ends that.
 */
export function watchList(session: LiveSession): () => void {
  if (!session.listed) return () => {};
  const timer = setInterval(() => void session.stoppedNow().catch(() => {}), LOOK).unref();
  return () => clearInterval(timer);
}
