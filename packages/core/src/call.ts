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
  /** Nothing around this call can wait for persons: where one would have to approve it, it is denied. */
  readonly immediate?: boolean | undefined;
  /** The framework's own signal, joined with the session's. */
  readonly signal?: AbortSignal | undefined;
}

export type Execute<T> = (args: Json, options: { signal: AbortSignal }) => Promise<T>;
