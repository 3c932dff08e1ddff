/**
 * Turns a body that emits values while it runs into the async generator that the SDK expects of a
 * streaming tool. A value is handed over before the body goes on; when the consumer leaves, `left` fires
 * and the body is waited for. What a body emits that runs later, when persons have approved it, is for nobody. Where
 * the body never started because its result was recorded before, that result is the only value. Errors of the body,
 * refusals included, come out of the generator.
 */
export async function* relay<T>(
  run: (emit: (value: T) => Promise<void>, left: AbortSignal) => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  const leaving = new AbortController();
  const waiting: { value: T; taken: () => void }[] = [];
  let arrived = Promise.withResolvers<void>();
  let over = false;
  let emitted = false;
  const emit = (value: T): Promise<void> => {
    if (over) return Promise.resolve();
    emitted = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push({ value, taken: resolve });
    arrived.resolve();
    return promise;
  };
  const running = run(emit, leaving.signal);
  const end = (): void => {
    over = true;
    arrived.resolve();
  };
  const settled = running.then(end, end);
  try {
    while (!over) {
      await arrived.promise;
      arrived = Promise.withResolvers();
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        try {
          yield next.value;
        } finally {
          next.taken();
        }
      }
    }
    const result = await running;
    if (!emitted && result !== undefined) yield result;
  } finally {
    if (!over) leaving.abort(new DOMException("The stream of this tool's results was left.", "AbortError"));
    for (const { taken } of waiting) taken();
    await settled;
  }
}
