import { describe, expect, test } from "vitest";
import { type Engine, type Placed, engine as engineOf } from "../../../core/src/store/types.ts";
import { testDeployment } from "../../../core/test/store/deployment.ts";
import { objections, openLog } from "../../../core/test/store/open-log.ts";
import { sql } from "../../test/server.ts";
import { server, storeAt, url } from "../../test/stores.ts";

const KEEP =
  "CREATE TABLE entries AS SELECT * FROM behest_entry; CREATE TABLE heads AS SELECT * FROM behest_head";
const RESTORE = `DELETE FROM behest_entry; INSERT INTO behest_entry SELECT * FROM entries;
  DELETE FROM behest_head; INSERT INTO behest_head SELECT * FROM heads`;

describe.runIf(server)("a log on PostgreSQL that is not the one that was written", () => {
  const MEDDLING: readonly [how: string, meddle: string][] = [
    [
      "an older state is restored",
      "DELETE FROM behest_entry WHERE idx >= 6; UPDATE behest_head SET checkpoint = (SELECT checkpoint FROM older)",
    ],
    ["the last entry is gone", "DELETE FROM behest_entry WHERE idx = 10"],
    ["the head is gone", "DELETE FROM behest_head"],
    ["all is gone", "DELETE FROM behest_entry; DELETE FROM behest_head"],
  ];
  for (const [how, meddle] of MEDDLING)
    test(`${how}: nothing is appended until the log is whole again`, async () => {
      const { engine, deployment, delegation } = await openLog(storeAt(url));
      const other = storeAt(url)[engineOf];
      await other.attach(await deployment.identity());
      await fill(other, delegation, 3);
      await sql(url, "CREATE TABLE older AS SELECT * FROM behest_head");
      await fill(other, delegation, 4, 3);
      await engine.append(deployment.denial("seen", delegation));
      await sql(url, KEEP);
      await sql(url, meddle);
      for (const on of [engine, other])
        await expect(on.append(deployment.denial("a", delegation))).rejects.toMatchObject({
          code: "store_mismatch",
        });
      await sql(url, RESTORE);
      for (const on of [engine, other]) await on.append(deployment.denial("a", delegation));
      expect(await objections(engine, deployment)).toEqual([]);
    });

  test("a log that does not agree with itself is not opened", async () => {
    const { engine, delegation, deployment, store } = await openLog(storeAt(url));
    await fill(engine, delegation, 5);
    await store.close();
    await sql(url, KEEP);
    for (const meddle of [
      "DELETE FROM behest_entry WHERE idx = 6",
      "UPDATE behest_entry SET nodes = substring(nodes FROM 1 FOR 20) WHERE idx = 6",
      "UPDATE behest_entry SET nodes = decode(repeat('00', 96), 'hex') WHERE idx = 3",
      "UPDATE behest_head SET checkpoint = 'x'",
      "UPDATE behest_head SET origin = 'x'",
      "UPDATE behest_head SET certificate = 2",
      "UPDATE behest_head SET manifest = 99",
      "UPDATE behest_entry SET jws = (SELECT jws FROM behest_entry WHERE idx = 1) WHERE idx = 0",
    ]) {
      await sql(url, meddle);
      const attached = storeAt(url)[engineOf].attach(await deployment.identity());
      await expect(attached).rejects.toMatchObject({ code: "store_mismatch" });
      await sql(url, RESTORE);
    }
    await storeAt(url)[engineOf].attach(await deployment.identity());
  });

  async function fill(on: Engine, delegation: Placed, count: number, from = 0): Promise<void> {
    const deployment = await testDeployment();
    for (let i = from; i < from + count; i++)
      await on.append({ entry: deployment.interaction(delegation, `t${i}`).entry });
  }
});
