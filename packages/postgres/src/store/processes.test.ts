import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { chargeOf } from "../../../core/test/store/charges.ts";
import { objections, openLog, placedOf } from "../../../core/test/store/open-log.ts";
import { processConformance, settled } from "../../../core/test/store/processes.ts";
import { RemoteStore } from "../../../core/test/store/remote.ts";
import type { Begin } from "../../../core/src/store/types.ts";
import { postgresServer, sql } from "../../test/server.ts";
import { postgresStore } from "./store.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

let url: string;
const remotes: RemoteStore[] = [];
beforeEach(async () => void (url = await server!.url()));
afterEach(async () => {
  for (const { process } of remotes) process.kill("SIGKILL");
  await Promise.all(remotes.splice(0).map(({ ended }) => ended));
});

function remote(options?: object): RemoteStore {
  const child = join(import.meta.dirname, "../../test/child.ts");
  const made = new RemoteStore(url, options, undefined, child);
  remotes.push(made);
  return made;
}

describe.runIf(server)("processes that share a store on PostgreSQL", () => {
  processConformance(() => postgresStore(url), remote);

  test("what a killed process had started is unknown when its lease is over, and not before", async () => {
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url));
    const killed = remote();
    await killed.call("attach", await deployment.identity());
    const charges = [chargeOf("c", "1", "3")];
    const [read, write] = [true, false].map((repeatable) =>
      deployment.begin(repeatable ? "read" : "write", delegation, { repeatable, charges }),
    ) as [Begin, Begin];
    for (const begin of [read, write])
      expect(await killed.call("begin", begin)).toMatchObject({ begun: "started" });
    killed.process.kill("SIGKILL");
    await killed.ended;
    expect(await engine.begin(write)).toEqual({ begun: "running" });
    await sql(
      url,
      "UPDATE behest_lease SET expires = 0 WHERE id = (SELECT lease FROM behest_action WHERE id = 'write')",
    );
    expect(await engine.begin(write)).toMatchObject({ begun: "ended", outcome: "unknown" });
    // Another one closes at its start what is left.
    const next = await openLog(postgresStore(url), deployment);
    expect((await engine.records({})).map(({ outcome }) => outcome)).toEqual(["unknown", "unknown"]);
    const again = deployment.begin("read", delegation, { attempt: 2, charges });
    expect(await next.engine.begin(again)).toMatchObject({ begun: "started" });
    expect(await engine.held(["c"])).toEqual(["2"]);
    expect(await objections(engine, deployment)).toEqual([]);
    await Promise.all([store.close(), next.store.close()]);
  });

  test("a process that slept past its lease comes too late with its outcome, and goes on", async () => {
    const lease = { lease: 3_000 };
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url, lease));
    const sleeper = remote(lease);
    await sleeper.call("attach", await deployment.identity());
    const begin = deployment.begin("a", delegation, { repeatable: false });
    const placed = placedOf(await sleeper.call("begin", begin));
    // A lease is kept while something runs under it.
    const expires = async (): Promise<number> => {
      const held = "SELECT expires::float8 FROM behest_lease l JOIN behest_action a ON a.lease = l.id";
      return (await sql<{ expires: number }>(url, held))[0]!.expires;
    };
    const first = await expires();
    await expect.poll(expires).toBeGreaterThan(first);
    expect(await engine.begin(begin)).toEqual({ begun: "running" });
    sleeper.process.kill("SIGSTOP");
    expect(await settled(engine, begin)).toMatchObject({ begun: "ended", outcome: "unknown" });
    sleeper.process.kill("SIGCONT");
    expect(await sleeper.call("finish", deployment.finish(begin, placed))).toEqual({ finished: "late" });
    const next = deployment.begin("b", delegation);
    const begun = await sleeper.call("begin", next);
    expect(await sleeper.call("finish", deployment.finish(next, placedOf(begun)))).toMatchObject({
      finished: "ended",
    });
    expect(await objections(engine, deployment)).toEqual([]);
    await store.close();
  });
});
