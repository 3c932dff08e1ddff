import type { Engine } from "./types.ts";

const WRITES: ReadonlySet<PropertyKey> = new Set(["append", "begin", "finish", "erase", "prune"]);

/** The engine, whose writes to the log go through `watch` on their way back. */
export function watched(engine: Engine, watch: <T>(write: Promise<T>) => Promise<T>): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (!WRITES.has(name)) return member.bind(target) as unknown;
      return (request: unknown) => watch(Reflect.apply(member, target, [request]) as Promise<unknown>);
    },
  });
}
