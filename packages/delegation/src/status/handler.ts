import type { Signer } from "@behest/jws";
import type { Duration } from "../duration.ts";
import { malformed } from "../request.ts";
import { checkList, statusList } from "./issue.ts";

/** A list that is served. */
export interface ServedList {
  readonly uri: string;
  readonly size: number;
  /** Indexes that hold no more, as the issuer keeps them; asked once a second at most. */
  readonly revoked: () => Iterable<number> | Promise<Iterable<number>>;
}

export interface StatusListServer {
  readonly lists: readonly ServedList[];
  /** Where all of `lists` are named. */
  readonly aggregation?: string;
  /** As for `statusList`. */
  readonly ttl?: Duration;
  readonly expiresIn?: Duration;
}

/** Whatever looks like fetch's other side: Node behind an adapter, workers, servers of frameworks. */
type Handler = (request: Request) => Promise<Response>;

/** ms that a signed list is handed out again. */
const SIGNED_FOR = 1_000;
/** Seconds that caches on the way may keep one: they come on top of the list's own `ttl`. */
const CACHED_FOR = 5;
const TYPE = "application/statuslist+jwt";
const HEADERS = { "access-control-allow-origin": "*", "x-content-type-options": "nosniff" };

/**
 * Serves Token Status Lists, and the list of them (draft-ietf-oauth-status-list, 8.1, 8.2 and 9), by the paths of
 * their URIs. 404 for other paths, 405, 406; 501 for `?time=`; 503 where `revoked` or the signer fails (say so there):
 * what readers keep then runs out. Throws `malformed_request`.
 */
export function statusListHandler(server: StatusListServer, issuer: Signer): Handler {
  const { lists, aggregation, ttl, expiresIn } = server;
  const answers = new Map<string, () => Promise<{ readonly type: string; readonly body: string }>>();
  const serve = (uri: string, answer: () => Promise<string>, type: string): void => {
    const path = URL.canParse(uri) ? new URL(uri) : undefined;
    if (!path || path.search !== "" || answers.has(path.pathname))
      malformed("uri", "expected a URI without a query, and a path of its own");
    answers.set(path.pathname, async () => ({ type, body: await answer() }));
  };
  const terms = {
    ...(ttl !== undefined && { ttl }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(aggregation !== undefined && { aggregation }),
  };
  for (const { uri, size, revoked } of lists) {
    checkList({ uri, size });
    const sign = async (): Promise<string> =>
      statusList({ uri, size, revoked: await revoked(), ...terms }, issuer);
    serve(uri, kept(sign), TYPE);
  }
  if (aggregation !== undefined) {
    const body = JSON.stringify({ status_lists: lists.map(({ uri }) => uri) });
    serve(aggregation, async () => body, "application/json");
  }
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const answer = answers.get(pathname);
    if (!answer) return plain(404);
    if (request.method !== "GET" && request.method !== "HEAD") return plain(405, { allow: "GET, HEAD" });
    if (searchParams.has("time")) return plain(501);
    const answered = await answer().catch(() => undefined);
    if (!answered) return plain(503);
    const { type, body } = answered;
    if (!admits(request.headers.get("accept"), type)) return plain(406);
    return new Response(request.method === "HEAD" ? null : body, {
      headers: { ...HEADERS, "content-type": type, "cache-control": `public, max-age=${CACHED_FOR}` },
    });
  };
}

function plain(status: number, headers: { readonly [name: string]: string } = {}): Response {
  return new Response(null, { status, headers: { ...HEADERS, "cache-control": "no-store", ...headers } });
}

function admits(accept: string | null, type: string): boolean {
  if (accept === null) return true;
  const ranges = accept.split(",").map((range) => range.split(";")[0]!.trim().toLowerCase());
  return [type, "application/*", "*/*"].some((range) => ranges.includes(range));
}

/** Signed when asked for, once for all who ask within a moment. */
function kept(sign: () => Promise<string>): () => Promise<string> {
  let token: Promise<string> | undefined;
  let at = 0;
  return () => {
    if (token === undefined || Math.abs(performance.now() - at) >= SIGNED_FOR) {
      at = performance.now();
      token = sign();
      // A failure is told to whoever waits for it, and to nobody later.
      token.catch(() => (token = undefined));
    }
    return token;
  };
}
