import { afterAll, describe, expect, test } from "vitest";
import { engine as engineOf } from "../../../core/src/store/types.ts";
import { objections, openLog, placedOf } from "../../../core/test/store/open-log.ts";
import { postgresServer } from "../../test/server.ts";
import { postgresStore } from "./store.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

describe.runIf(server)("keys and manifests that change under several machines", () => {
  test("whoever is under the manifest before writes nothing until it takes up the next, and then goes on", async () => {
    const url = await server!.url();
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url));
    const other = postgresStore(url);
    const there = other[engineOf];
    await there.attach(await deployment.identity());
    const begin = deployment.begin("a", delegation, { repeatable: false });
    const begun = placedOf(await there.begin(begin));
    const old = await deployment.identity();
    await deployment.replaceEnforcer();
    await engine.rotate(await deployment.identity());
    const invalid = { code: "trust_invalid" };
    await expect(there.append(deployment.denial("b", delegation))).rejects.toMatchObject(invalid);
    // An attempt to go on under the one before lifts nothing.
    await expect(there.rotate(old)).rejects.toMatchObject(invalid);
    await expect(there.append(deployment.denial("b", delegation))).rejects.toMatchObject(invalid);
    await expect(there.begin(deployment.begin("c", delegation))).rejects.toMatchObject(invalid);
    await there.rotate(await deployment.identity());
    expect(await there.finish(deployment.finish(begin, begun))).toMatchObject({ finished: "ended" });
    await engine.append(deployment.denial("d", delegation));
    expect(await objections(engine, deployment)).toEqual([]);
    await Promise.all([store.close(), other.close()]);
  });
});
