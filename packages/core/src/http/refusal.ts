/** What a request is answered with that is not taken in: RFC 8935, section 2.4, and the codes of HTTP. */
export type RefusalCode =
  | "invalid_request"
  | "invalid_key"
  | "invalid_issuer"
  | "invalid_audience"
  | "invalid_state"
  | "authentication_failed"
  | "access_denied"
  | "unavailable";

/** Ends a request. Its description names nothing of what was sent. */
export class Refusal extends Error {
  readonly status: number;
  readonly err: RefusalCode;
  readonly headers: { readonly [name: string]: string };
  constructor(
    status: number,
    err: RefusalCode,
    description: string,
    options: ErrorOptions & { readonly headers?: { readonly [name: string]: string } } = {},
  ) {
    super(description, options);
    this.status = status;
    this.err = err;
    this.headers = options.headers ?? {};
  }

  get response(): Response {
    const body = JSON.stringify({ err: this.err, description: this.message });
    const headers = {
      "content-type": "application/json",
      "content-language": "en",
      "cache-control": "no-store",
    };
    return new Response(body, { status: this.status, headers: { ...headers, ...this.headers } });
  }
}

/** Server and client of a request are fetch's `Request` and `Response`: of frameworks, workers, or Node behind an adapter. */
export type Handler = (request: Request) => Promise<Response>;

/** Refusals become answers; whatever else goes wrong is a 503, told here and not to the caller. */
export function answering(handle: Handler): Handler {
  return async (request) => {
    try {
      return await handle(request);
    } catch (error) {
      if (error instanceof Refusal) return error.response;
      warn(`a request could not be carried out: ${(error as Error).name}`, error);
      return new Refusal(503, "unavailable", "it could not be carried out now", {
        headers: { "retry-after": "5" },
      }).response;
    }
  };
}

/** What somebody has to look at. */
export function warn(message: string, cause?: unknown): void {
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  process.emitWarning(typeof code === "string" ? `${message} (${code})` : message, {
    code: "BEHEST_SIGNALS",
  });
}
