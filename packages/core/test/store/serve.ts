import { type Engine, type Store, engine as engineOf } from "../../src/store/types.ts";
import type { Order, Reply } from "./remote.ts";

/** Puts a store at the orders of this process's parent: see remote.ts. */
export function serve(store: Store): void {
  const engine = store[engineOf];
  process.on("message", ({ id, method, args }: Order) => {
    if (method === "leave") {
      // Whatever was asked for last is still under way: it must not be lost.
      process.disconnect();
      return;
    }
    const call = engine[method] as (...args: unknown[]) => ReturnType<Engine["append"]>;
    call.apply(engine, [...args]).then(
      (value) => send({ id, value }),
      ({ code, message }: { code: string; message: string }) => send({ id, error: { code, message } }),
    );
  });
  send({ id: 0 });
}

function send(reply: Reply): void {
  if (process.connected) process.send?.(reply);
}
