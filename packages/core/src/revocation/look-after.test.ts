import { expect, test } from "vitest";
import { SharedDeployment, tried } from "../../test/revocation/deployment.ts";
import { memoryStore } from "../store/memory.ts";
import type { FeedRow } from "./feed.ts";
import { engine as engineOf } from "../store/types.ts";

test("a cut whose submitter was killed before it was recorded is in force at once, and recorded by another process", async () => {
  const deployment = await SharedDeployment.make();
  const [store, killed] = [memoryStore(), memoryStore()];
  await using behest = await deployment.start(store);
  const [alice, bob] = [await deployment.open(behest, "alice"), await deployment.open(behest, "bob")];
  const ended = new Promise((told) => alice.signal.addEventListener("abort", told));
  {
    await using submitter = await deployment.start(killed);
    await deployment.revoke(submitter, "alice");
  }
  // All that the killed one came to.
  const { rows } = await killed[engineOf].feed.read(0);
  const { jws, until } = rows[0] as Required<FeedRow>;
  await store[engineOf].feed.append({ jws, until });
  await ended;
  expect(await tried(alice)).toEqual(["revoked", "revoked", "revoked"]);
  await expect.poll(() => deployment.verify(store)).toMatchObject({ ok: true, counts: { revocation: 1 } });
  expect(await tried(bob)).toEqual(["done", "done", "done"]);
});
