import { expect, test } from "vitest";
import { callTool } from "../adapter.ts";
import { testBehest } from "../testing.ts";

const read = { effect: "read", boundary: "inside" } as const;

/** Calls of one id, each parsed from `given` to other arguments, and what their bodies got. */
async function calls(profiles: { readonly [tool: string]: typeof read } = {}) {
  const behest = await testBehest({ profiles });
  const session = await behest.as("alice", { mail: {}, wipe: {} }, { run: "chat-1" });
  const ran: unknown[] = [];
  const call = (nonce: number, change: object = {}, body: () => string = () => "sent") =>
    callTool(
      session,
      { tool: "mail", callId: "1", turn: "t", given: { to: "bob" }, args: { to: "bob", nonce }, ...change },
      async (args) => {
        ran.push(args);
        return body();
      },
    );
  return { behest, call, ran };
}

test("a call that was made and is parsed to something else answers with what it did, and does nothing", async () => {
  const { behest, call, ran } = await calls();
  expect(await call(1)).toBe("sent");
  expect(await call(2)).toBe("sent");
  expect(ran).toEqual([{ to: "bob", nonce: 1 }]);
  await behest.close();
});

test("what was given something else, another tool, or nobody knows what, is another call", async () => {
  const { behest, call, ran } = await calls();
  await call(1);
  const conflict = { code: "action_conflict" };
  for (const other of [{ given: { to: "eve" } }, { given: undefined }, { tool: "wipe" }])
    await expect(call(2, other)).rejects.toMatchObject(conflict);
  expect(ran).toHaveLength(1);
  await behest.close();
});

test("a read that failed is tried again with the arguments it had, and not with others", async () => {
  const { behest, call, ran } = await calls({ mail: read });
  const fail = (): never => {
    throw new Error("down");
  };
  await expect(call(1, {}, fail)).rejects.toThrow("down");
  await expect(call(2)).rejects.toMatchObject({ code: "already_done" });
  expect(await call(1)).toBe("sent");
  expect(await call(3)).toBe("sent");
  expect(ran).toEqual([
    { to: "bob", nonce: 1 },
    { to: "bob", nonce: 1 },
  ]);
  await behest.close();
});
