import { describe, expect, test } from "vitest";
import { engine as engineOf } from "../../../core/src/store/types.ts";
import { testDeployment } from "../../../core/test/store/deployment.ts";
import { objections, openLog } from "../../../core/test/store/open-log.ts";
import { sql } from "../../test/server.ts";
import { server, storeAt, url } from "../../test/stores.ts";
import { postgresStore } from "./store.ts";

const FAILED = { code: "store_failed" };

describe.runIf(server)("what a store on PostgreSQL refuses", () => {
  test("the next trust manifest ends the processes under the one before", async () => {
    const { engine, delegation, deployment } = await openLog(storeAt(url));
    const first = await deployment.identity();
    await deployment.replaceEnforcer();
    const next = storeAt(url)[engineOf];
    await next.attach(await deployment.identity());
    const invalid = { code: "trust_invalid" };
    await expect(engine.append(deployment.denial("a", delegation))).rejects.toMatchObject(invalid);
    await expect(storeAt(url)[engineOf].attach(first)).rejects.toMatchObject(invalid);
    expect(await objections(next, deployment)).toEqual([]);
  });

  test("what PostgreSQL cannot hold is refused, and its neighbours are not", async () => {
    const { engine, delegation, deployment } = await openLog(storeAt(url));
    const { record, ...denial } = deployment.denial("a", delegation);
    const unfit = [
      { ...denial, once: "a\0b" },
      { ...denial, once: "lone \ud800" },
      { ...denial, once: "half", record: { ...record!, at: 0.5 } },
      // Larger than an index takes: only the database knows.
      { ...denial, once: randomText(20_000) },
    ];
    const asked = await Promise.allSettled([
      ...unfit.map((request) => engine.append(request)),
      engine.append(deployment.denial("fit", delegation)),
    ]);
    expect(asked.map(({ status }) => status)).toEqual([...Array(4).fill("rejected"), "fulfilled"]);
    for (const answer of asked.slice(0, 4)) expect(answer).toMatchObject({ reason: FAILED });
    expect(await engine.entries(0, 10)).toHaveLength(3);
    expect(await objections(engine, deployment)).toEqual([]);
  });

  test("what is over stays over when the server's clock is set back", async () => {
    const { engine, delegation, deployment } = await openLog(storeAt(url));
    // The clock of a server cannot be set here: what it has been is.
    await sql(url, "UPDATE behest_head SET at = at + 3600000");
    const until = Date.now() + 60_000;
    expect(await engine.begin(deployment.begin("a", delegation, { expires: until }))).toMatchObject({
      code: "delegation_expired",
    });
    expect(await engine.spend("a", until)).toBe(false);
  });

  test("failures name no host, user, password or statement", async () => {
    const deployment = await testDeployment();
    const wrong = new URL(url);
    wrong.password = "secret-word";
    const nobody = "postgres://someone:secret-word@127.0.0.1:1/some-base";
    for (const at of [wrong.href, nobody]) {
      const error: unknown = await storeAt(at)
        [engineOf].attach(await deployment.identity())
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject(FAILED);
      expect((error as Error).cause).toBeUndefined();
      expect((error as Error).message).not.toMatch(/secret-word|127\.0\.0\.1|someone|some-base|SELECT/);
    }
    expect(() => postgresStore("postgres://user:secret-word@host:port/base")).toThrow(
      expect.objectContaining({ code: "config_invalid" }) as Error,
    );
  });

  test("a server that does not wait for its disk, a standby, and tables of a later version are refused", async () => {
    const deployment = await testDeployment();
    const attached = async (at = url): Promise<void> =>
      storeAt(at)[engineOf].attach(await deployment.identity());
    const unsafe = { code: "store_unsafe" };
    await expect(attached(`${url}%20-csynchronous_commit%3Doff`)).rejects.toMatchObject(unsafe);
    await attached(`${url}%20-csynchronous_commit%3Dlocal`);
    for (const setting of ["fsync", "full_page_writes"]) {
      await sql(url, `ALTER SYSTEM SET ${setting} = off`);
      await sql(url, "SELECT pg_reload_conf()");
      await expect.poll(() => attached().catch((error: unknown) => error)).toMatchObject(unsafe);
      await sql(url, `ALTER SYSTEM RESET ${setting}`);
      await sql(url, "SELECT pg_reload_conf()");
      await expect
        .poll(() =>
          attached().then(
            () => "attached",
            () => "refused",
          ),
        )
        .toBe("attached");
    }
    await sql(url, "UPDATE behest_schema SET version = 99");
    await expect(attached()).rejects.toMatchObject({ code: "store_foreign" });
    {
      await using _ = await server!.asStandby();
      await expect(insistRefused(attached)).resolves.toMatch("standby");
    }
  });
});

async function insistRefused(act: () => Promise<void>): Promise<string> {
  return act().then(
    () => "attached",
    (error: Error) => error.message,
  );
}

function randomText(length: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(length))).toString("base64url");
}
