// A process with a store of its own, at the orders of its parent: see remote.ts.
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { type Engine, engine as engineOf } from "../../src/store/types.ts";
import type { Order, Reply } from "./remote.ts";

const [path = "", options = "{}"] = process.argv.slice(2);
const store = sqliteStore(path, JSON.parse(options));
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

function send(reply: Reply): void {
  if (process.connected) process.send?.(reply);
}

send({ id: 0 });
