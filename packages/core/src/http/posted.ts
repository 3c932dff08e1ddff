import { fromUtf8, readBounded } from "@behest/jws";
import { Refusal } from "./refusal.ts";

/** Bytes of a body. */
const MAX_BODY = 65_536;
/** ms for a body to come in. */
const BODY_TIMEOUT = 10_000;

interface Posted {
  /** Media type, without parameters. */
  readonly type: string;
  /** ms that it may take. */
  readonly timeout: number | undefined;
}

export function checkPost({ method }: Request): void {
  if (method !== "POST")
    throw new Refusal(405, "invalid_request", "expected POST", { headers: { allow: "POST" } });
}

/** The body as text, bounded in size and time. Refuses with 400, 408, 413 or 415. */
export async function bodyOf(request: Request, { type, timeout = BODY_TIMEOUT }: Posted): Promise<string> {
  const given = request.headers.get("content-type")?.split(";")[0]!.trim().toLowerCase();
  if (given !== type) throw new Refusal(415, "invalid_request", `expected ${type}`);
  if (!request.body) throw new Refusal(400, "invalid_request", "there is no body");
  const signal = AbortSignal.timeout(timeout);
  const tooLarge = new Refusal(413, "invalid_request", `expected at most ${MAX_BODY} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY) throw tooLarge;
  const bytes = await readBounded(request.body, MAX_BODY, signal).catch((cause: unknown) => {
    throw signal.aborted
      ? new Refusal(408, "invalid_request", "the body took too long")
      : new Refusal(400, "invalid_request", "the body broke off", { cause });
  });
  if (!bytes) throw tooLarge;
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new Refusal(400, "invalid_request", "not UTF-8", { cause });
  }
}
