import { signerOf } from "@behest/jws";
import { parseCheckpoint, signCheckpoint } from "@behest/provenance";
import { describe, expect, test } from "vitest";
import { engine as engineOf } from "../../../core/src/store/types.ts";
import { objections, openLog } from "../../../core/test/store/open-log.ts";
import { sql } from "../../test/server.ts";
import { server, storeAt, url } from "../../test/stores.ts";

const MISMATCH = { code: "store_mismatch" };

describe.runIf(server)("a manifest that the database says is not in force any more", () => {
  test("a process that has taken it up does not certify its next key under it again", async () => {
    const { engine, deployment } = await openLog(storeAt(url));
    await deployment.nextTrust();
    await engine.rotate(await deployment.identity());
    await sql(url, "UPDATE behest_head SET manifest = 0");
    await expect(engine.rotate(await deployment.identity())).rejects.toMatchObject(MISMATCH);
    expect(await objections(engine, deployment)).toEqual([]);
  });

  test("nor does it go on from a head of an enforcer whom it withdraws", async () => {
    const { engine, deployment } = await openLog(storeAt(url));
    const stolen = await deployment.identity();
    await storeAt(url)[engineOf].attach(stolen);
    const [{ certificate } = { certificate: 0 }] = await sql<{ readonly certificate: number }>(
      url,
      "SELECT certificate::float8 FROM behest_head",
    );
    await deployment.replaceEnforcer();
    await engine.rotate(await deployment.identity());
    const honest = parseCheckpoint(await engine.checkpoint());
    const lie = signCheckpoint(honest, signerOf(stolen.entryKey));
    const text = "UPDATE behest_head SET checkpoint = $1, certificate = $2, manifest = 0";
    await sql(url, text, [lie, certificate]);
    await expect(engine.rotate(await deployment.identity())).rejects.toMatchObject(MISMATCH);
  });

  test("an entry that has none is no manifest: the log is not the one that was", async () => {
    const { engine, deployment } = await openLog(storeAt(url));
    await storeAt(url)[engineOf].attach(await deployment.identity());
    await sql(url, "UPDATE behest_head SET manifest = certificate");
    await expect(engine.rotate(await deployment.identity())).rejects.toMatchObject(MISMATCH);
  });
});
