import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { sqliteStore } from "@behest/core";
import { describe, expect, test } from "vitest";
import { Dump } from "../../../core/src/store/sqlite/dump.ts";
import { engine as engineOf } from "../../../core/src/store/types.ts";
import { type OpenLog, objections, openLog } from "../../../core/test/store/open-log.ts";
import { writeEverything } from "../../test/everything.ts";
import { Proxy } from "../../test/proxy.ts";
import { path } from "../../test/moving.ts";
import { kept, server, url } from "../../test/stores.ts";
import { migrateSqlite } from "./migrate.ts";
import { postgresStore } from "./store.ts";

async function filled(): Promise<OpenLog> {
  const log = await openLog(kept(sqliteStore(path)));
  await writeEverything(log, "moved");
  await log.store.close();
  return log;
}

describe.runIf(server)("attacks on a store that moves", () => {
  test("of several at once one moves it, and what it moved verifies", async () => {
    const log = await filled();
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => migrateSqlite(path, url)));
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const answer of answers)
      if (answer.status === "rejected")
        // Or it has waited for too long.
        expect(["store_foreign", "store_failed"]).toContain((answer.reason as { code: string }).code);
    const { engine } = { engine: kept(postgresStore(url))[engineOf] };
    await engine.attach(await log.deployment.identity());
    expect(await objections(engine, log.deployment)).toEqual([]);
  });

  test("one that is killed on its way has moved nothing, and can be run again", async () => {
    const log = await filled();
    using line = await Proxy.to(server!.port);
    const at = url.replace(`:${server!.port}/`, `:${line.port}/`);
    const source = `
      import { migrateSqlite } from ${JSON.stringify(join(import.meta.dirname, "migrate.ts"))};
      await migrateSqlite(process.argv[1], process.argv[2]);`;
    const run = ["--conditions=@behest/source", "--input-type=module", "-e", source, path, at];
    for (const word of ["INSERT INTO behest_principal", "COMMIT\0"]) {
      const child = spawn(process.execPath, run, { stdio: "ignore" });
      line.ask = (chunk) => {
        if (!chunk.includes(word)) return undefined;
        child.kill("SIGKILL");
        return Buffer.alloc(0);
      };
      expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
    }
    expect(await migrateSqlite(path, url)).toMatchObject({ entries: 6 });
    const { engine } = { engine: kept(postgresStore(url))[engineOf] };
    await engine.attach(await log.deployment.identity());
    expect(await objections(engine, log.deployment)).toEqual([]);
  });

  test("what is written to the file since it was opened is noticed before anything counts as moved", async () => {
    const { deployment } = await filled();
    const dump = new Dump(path);
    const again = sqliteStore(path);
    await again[engineOf].attach(await deployment.identity());
    await again[engineOf].feed.append({ jws: "late.b.c" });
    await again.close();
    expect([...dump.rows("entry")]).toHaveLength(6);
    expect(() => dump.refuseInUse()).toThrow(expect.objectContaining({ code: "store_failed" }) as Error);
    dump.close();
    expect(await migrateSqlite(path, url)).toMatchObject({ entries: 7 });
  });
});
