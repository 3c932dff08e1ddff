import type { Json } from "@behest/jws";
import type { Codec } from "./codec.ts";

/** A tool call as an adapter hands it on. */
export interface Call<T> {
  readonly tool: string;
  /** Parsed, of any type: what is not JSON is refused. */
  readonly args: unknown;
  readonly callId?: string | undefined;
  readonly turn?: string | undefined;
  /** The tool itself: its profile is found by identity. */
  readonly definition?: object | undefined;
  readonly codec?: Codec<T> | undefined;
  /** The framework's own signal, joined with the session's. */
  readonly signal?: AbortSignal | undefined;
  /** Its promise settles with the signal, whether the body has stopped or not: then nobody knows what the body did. */
  readonly leaves?: boolean | undefined;
  /** The arguments as the model gave them, before parsing: what waits is not parsed to other ones later. */
  readonly given?: unknown;
  /** Whether whoever makes the call can make it again when persons have decided; otherwise an ask is a denial. Default true. */
  readonly waits?: boolean | undefined;
  /** Whether it would be known for the same call if its run were entered again; otherwise it is never deferred. Default: `waits`. */
  readonly defers?: boolean | undefined;
}

export type Execute<T> = (args: Json, options: { signal: AbortSignal }) => Promise<T>;
