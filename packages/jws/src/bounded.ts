/**
 * All bytes of a stream; undefined, and the stream is cancelled, as soon as there are more than `max`. Rejects with the
 * signal's reason once that aborts.
 */
export async function readBounded(
  stream: ReadableStream<Uint8Array>,
  max: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal?.throwIfAborted();
  signal?.addEventListener("abort", cancel, { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    // Cancelled, a stream looks as if it had ended.
    signal?.throwIfAborted();
    if (done) break;
    size += value.byteLength;
    if (size > max) {
      cancel();
      return undefined;
    }
    parts.push(value);
  }
  signal?.removeEventListener("abort", cancel);
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** The body of a plain 200 from where it was asked for, of a bounded size; anything else rejects with a TypeError. */
export async function plainBody(response: Response, max: number): Promise<Uint8Array<ArrayBuffer>> {
  if (response.status !== 200 || response.redirected || !response.body) {
    await response.body?.cancel();
    throw new TypeError("the answer is not a plain 200");
  }
  const body = await readBounded(response.body, max);
  if (!body) throw new TypeError("the answer is too large");
  return body;
}
