/** `asked`, or the signal's reason once it fires: not every model, and no sub-agent, listens to it. */
export async function until<T>(signal: AbortSignal, asked: PromiseLike<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([asked, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
