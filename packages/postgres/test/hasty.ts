import { Client } from "pg";

const BEGIN = /BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;/;

/** From now on no transaction of this process is sure to be on the disk when it is answered. */
export function commitWithoutDisk(): void {
  const query: unknown = Reflect.get(Client.prototype, "query");
  Reflect.set(
    Client.prototype,
    "query",
    function hasty(this: Client, text: unknown, ...rest: unknown[]): unknown {
      const bent =
        typeof text === "string" ? text.replace(BEGIN, "$& SET LOCAL synchronous_commit = off;") : text;
      return Reflect.apply(query as () => unknown, this, [bent, ...rest]);
    },
  );
}
