import { type AatTools, grants, is } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import { tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { guardTools } from "./index.ts";

const any: AatTools[string] = { "*": is.any.constraint };

test("a generator's whole body is the action, and its events are streamed", async () => {
  await using behest = await testBehest();
  let finished = false;
  const slow = tool(
    async function* ({ n }: { n: number }) {
      for (let i = 0; i < n; i++) yield { step: i };
      finished = true;
      return `did ${n}`;
    },
    { name: "slow", description: "d", schema: z.object({ n: z.number() }) },
  );
  const [guarded] = guardTools([slow]);
  const events: unknown[] = [];
  const callbacks = [{ handleToolEvent: (event: unknown) => void events.push(event) }];
  const session = await behest.as("alice", grants([slow], { slow: { n: is.atMost(3) } }));
  await session.run(async () => {
    expect(await guarded.invoke({ n: 2 }, { callbacks })).toBe("did 2");
    expect(finished).toBe(true);
    finished = false;
    await expect(guarded.invoke({ n: 9 })).rejects.toMatchObject({ code: "argument_not_granted" });
  });
  expect([finished, events]).toEqual([false, [{ step: 0 }, { step: 1 }]]);
  expect(await behest.records.list()).toMatchObject([{ outcome: "done" }, { verdict: "deny" }]);
});

test("a generator that fails half-way has failed, and is recorded as such", async () => {
  await using behest = await testBehest();
  const schema = z.object({});
  const half = tool(
    async function* () {
      yield "one";
      throw new Error("no more");
    },
    { name: "half", description: "d", schema },
  );
  const [guarded] = guardTools([half]);
  const session = await behest.as("alice", { half: any });
  await expect(session.run(() => guarded.invoke({}))).rejects.toThrow("no more");
  expect(await behest.records.list()).toMatchObject([{ tool: "half", outcome: "failed" }]);
});
