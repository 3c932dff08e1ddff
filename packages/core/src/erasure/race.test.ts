import { afterEach, beforeEach, expect, test } from "vitest";
import { type Behest, memoryStore } from "@behest/core";
import { SharedDeployment } from "../../test/revocation/deployment.ts";
import { exportEvidence } from "../evidence/export.ts";
import { joinRecord } from "../record/joined.ts";
import { type Engine, engine as engineOf } from "../store/types.ts";

let deployment: SharedDeployment;
let behest: Behest;
let engine: Engine;
/** Erases carol once, just before this is called for the nth time; with what it is called, where that matters. */
let when: { readonly method: string; nth: number; readonly has?: string } | undefined;

beforeEach(async () => {
  deployment = await SharedDeployment.make();
  when = undefined;
  engine = erasing(memoryStore()[engineOf]);
  behest = await deployment.start({ [engineOf]: engine, close: () => engine.close() });
  const carol = await deployment.open(behest, "carol");
  await carol.perform({ tool: "look", args: { at: "carol's" } }, async () => "seen");
});
afterEach(() => behest.close());

const asked = { principal: "carol", reason: "asked by letter", despiteRetention: true };

function erasing(inner: Engine): Engine {
  return new Proxy(inner, {
    get(target, name) {
      const found = Reflect.get(target, name) as unknown;
      if (typeof found !== "function") return found;
      return async (...args: unknown[]) => {
        const isMeant = when?.method === name && JSON.stringify(args).includes(when.has ?? "");
        if (isMeant && --when!.nth === 0) {
          when = undefined;
          await behest.erase(asked);
        }
        return (found as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

test.for<[keyof Engine, number]>([
  ["checkpoint", 1],
  ["records", 1],
  ["subject", 1],
  ["subject", 2],
  ["content", 1],
  ["content", 2],
  ["delegationOf", 1],
  ["subtrees", 1],
])(
  "evidence in whose midst somebody is erased has nothing of that person: %s, call %i",
  async ([method, nth]) => {
    when = { method, nth };
    const bundle = await exportEvidence(engine);
    expect(when).toBeUndefined();
    expect(bundle.principals).toEqual({});
    expect(bundle.tokens).toEqual({});
    expect(JSON.stringify(bundle)).not.toContain("carol");
    // The log that is shown says why.
    expect(bundle.checkpoint).toBe(await engine.checkpoint());
  },
);

test.for<[keyof Engine, number]>([
  ["subject", 2],
  ["content", 1],
  ["delegationOf", 1],
])("a record in whose midst its person is erased is no altered one: %s, call %i", async ([method, nth]) => {
  const { index } = (await behest.records.list())[0]!;
  when = { method, nth };
  expect(await joinRecord(engine, index)).toMatchObject({ index, content: {} });
  expect(when).toBeUndefined();
});

test("nobody is told that a hold is on somebody who was erased just before", async () => {
  when = { method: "append", nth: 1, has: "hold:" };
  const hold = { principal: "carol", reason: "case 12/26" };
  await expect(behest.holds.place(hold)).rejects.toMatchObject({ code: "principal_erased" });
  expect(await behest.holds.list()).toEqual([]);
});
