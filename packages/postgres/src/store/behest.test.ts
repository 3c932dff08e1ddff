import type { Behest, Session } from "@behest/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { SharedDeployment, tried } from "../../../core/test/revocation/deployment.ts";
import { postgresServer } from "../../test/server.ts";
import { postgresStore } from "./store.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

let deployment: SharedDeployment;
beforeAll(async () => void (deployment = await SharedDeployment.make()));

let url: string;
const open: Behest[] = [];
beforeEach(async () => {
  url = await server!.url();
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((one) => one.close()));
  vi.restoreAllMocks();
});

async function machine(): Promise<Behest> {
  const behest = await deployment.start(postgresStore(url));
  open.push(behest);
  return behest;
}

function ended({ signal }: Session): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason));
  });
}

const ALL = ["done", "done", "done"];

describe.runIf(server)("machines that share a store on PostgreSQL", () => {
  test("what is revoked at one ends at the other, and all of it stands in one log that verifies", async () => {
    const [here, there] = [await machine(), await machine()];
    const [alice, bob] = [await deployment.open(there, "alice"), await deployment.open(there, "bob")];
    expect(await tried(alice)).toEqual(ALL);
    const end = ended(alice);
    await deployment.revoke(here, "alice");
    // Whether it was told by now or not: it is compared where it begins.
    expect(await tried(alice)).toEqual(["revoked", "revoked", "revoked"]);
    expect(await end).toMatchObject({ code: "revoked" });
    expect(await tried(bob)).toEqual(ALL);
    expect(await here.records.list()).toHaveLength((await there.records.list()).length);
    const store = postgresStore(url);
    await expect.poll(() => deployment.verify(store)).toMatchObject({ ok: true, counts: { revocation: 1 } });
    await store.close();
    // And a machine that comes later knows.
    await expect(deployment.open(await machine(), "alice")).rejects.toMatchObject({ code: "revoked" });
  });

  test("while the database is away no action starts, and those that come after it do", async () => {
    const here = await machine();
    const alice = await deployment.open(here, "alice");
    expect(await tried(alice)).toEqual(ALL);
    // However long that takes, what was read of revocations is fresh.
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    await server!.stop();
    expect(await tried(alice)).toEqual(["store_failed", "store_failed", "store_failed"]);
    vi.useRealTimers();
    await server!.start();
    await expect.poll(() => tried(alice)).toEqual(ALL);
    const store = postgresStore(url);
    expect(await deployment.verify(store)).toMatchObject({ ok: true });
    await store.close();
  });
});
