import { ToolLoopAgent, generateText, isStepCount, streamText, tool } from "ai";
import type { MockLanguageModelV4 } from "ai/test";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Session, currentSession } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { type AatTools, grants, is } from "@behest/delegation";
import { type Turn, asked, fake, fakeOf, seen, toolbox } from "../test/fake.ts";
import { guard, guardTools, subagentTool } from "./index.ts";

const stopWhen = isStepCount(5);
const { tools: named } = toolbox();
const upTo = (amount: number): AatTools =>
  grants(named, { pay: { amount: is.atMost(amount), currency: is.any } });
const go = z.object({ max: z.number() });

/** A sub-agent that may pay up to what its caller says, with whatever its own model calls. */
function payer(model: MockLanguageModelV4, tools: Parameters<typeof guardTools>[0], streamed = false) {
  const agent = new ToolLoopAgent(guard({ model, tools }));
  return subagentTool({
    description: "Pays",
    inputSchema: go,
    delegate: ({ max }) => ({ agent: `payer-${max}`, tools: upTo(max), expiresIn: "5m" }),
    run: async ({ max }, { signal }) => {
      const settings = { prompt: `pay ${max}`, abortSignal: signal };
      return streamed ? (await agent.stream(settings)).text : (await agent.generate(settings)).text;
    },
  });
}

test("a sub-agent acts under its own, narrower delegation, and answers with a string", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const inner = fake(
    [
      ["pay", { amount: 5 }],
      ["pay", { amount: 11 }],
    ],
    "paid 5",
  );
  const model = fake([["payer", { max: 10 }]], "done");
  const session = await behest.as("alice", upTo(50));
  await generateText(guard({ model, tools: { payer: payer(inner, tools) }, prompt: "x", stopWhen }, session));
  expect(seen(model)).toEqual(["paid 5"]);
  expect(seen(inner)).toEqual(["paid 5", expect.stringContaining('"amount" is outside')]);
  expect(did).toEqual(["pay 5 EUR"]);
  const records = await behest.records.list();
  // Made at once, so in either order.
  const said = records.map((r) => [r.agent, r.principal, r.tool, r.verdict].join(" ")).toSorted();
  expect(said).toEqual(["payer-10 alice pay deny", "payer-10 alice pay permit"]);
});

test("a sub-agent's tool needs no grant, and is offered; what it may not hand on is a tool error", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const inner = fake([["pay", { amount: 60 }]], "paid");
  const model = fake([["payer", { max: 60 }]], "done");
  const session = await behest.as("alice", upTo(50));
  await generateText(
    guard({ model, tools: { ...tools, payer: payer(inner, tools) }, prompt: "x", stopWhen }, session),
  );
  expect(model.doGenerateCalls[0]!.tools!.map(({ name }) => name)).toEqual(["pay", "payer"]);
  expect(seen(model)).toEqual([expect.stringMatching(/^BehestDenied: .*pay/)]);
  expect(asked(inner)).toBe(0);
  expect(did).toEqual([]);
  expect(await behest.records.list()).toMatchObject([
    { tool: "payer", verdict: "deny", code: "wider_than_parent" },
  ]);
});

test("six sub-agents in parallel, streaming or not, each see only their own session", async () => {
  await using behest = await testBehest();
  const saw: string[] = [];
  const tools = {
    pay: tool({
      inputSchema: z.object({ amount: z.number(), currency: z.string() }),
      execute: async ({ amount }) => {
        await new Promise((resolve) => setImmediate(resolve));
        saw.push(`${currentSession().agent} ${amount}`);
        return "paid";
      },
    }),
  };
  // Each tries what only the largest may: call ids and turns are alike in all of them.
  const inner = fakeOf((prompt): Turn => {
    if (prompt.some(({ role }) => role === "tool")) return "done";
    return [1, 2, 3, 4, 5, 6].map((amount) => ["pay", { amount, currency: "EUR" }, String(amount)] as const);
  });
  const all = { generate: payer(inner, tools), stream: payer(inner, tools, true) };
  const calls = [1, 2, 3, 4, 5, 6].map((max) => [max % 2 ? "generate" : "stream", { max }] as const);
  const model = fake(calls, "done");
  const session = await behest.as("alice", upTo(50));
  await streamText(guard({ model, tools: all, prompt: "x", stopWhen }, session)).consumeStream();
  const expected = [1, 2, 3, 4, 5, 6].flatMap((max) =>
    Array.from({ length: max }, (_, n) => `payer-${max} ${n + 1}`),
  );
  expect(saw.toSorted()).toEqual(expected.toSorted());
  expect(seen(model)).toEqual(Array(6).fill("done"));
});

test("three deep, authority only narrows, and the innermost can do no more than each above", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const chains: string[] = [];
  const level = (max: number, next: ReturnType<typeof payer> | undefined) =>
    subagentTool({
      description: "d",
      inputSchema: go,
      delegate: ({ max: asked }) => ({ agent: `l${max}`, tools: upTo(asked) }),
      run: async (input, child: Session) => {
        chains.push(`${currentSession().agent} ${child.agent}`);
        const inner = next
          ? fake(
              [
                ["next", { max: input.max - 1 }],
                ["next", { max: input.max + 1 }],
              ],
              "done",
            )
          : fake(
              [
                ["pay", { amount: input.max }],
                ["pay", { amount: input.max + 1 }],
              ],
              "done",
            );
        const own = next ? { next } : tools;
        await generateText(guard({ model: inner, tools: own, prompt: "x", stopWhen }));
        return seen(inner).join("\n");
      },
    });
  const top = level(1, level(2, level(3, undefined)));
  const model = fake([["top", { max: 10 }]], "done");
  const session = await behest.as("alice", upTo(50));
  await generateText(guard({ model, tools: { top }, prompt: "x", stopWhen }, session));
  expect(did).toEqual(["pay 8 EUR"]);
  expect(chains).toEqual(["l1 l1", "l2 l2", "l3 l3"]);
  const [answer] = seen(model);
  expect(answer!.split("\n")).toEqual([
    "paid 8",
    expect.stringContaining("BehestDenied"),
    expect.stringContaining("BehestDenied"),
    expect.stringContaining("BehestDenied"),
  ]);
  expect((await behest.records.list()).filter(({ verdict }) => verdict === "permit")).toMatchObject([
    { agent: "l3" },
  ]);
});

test("an error of the sub-agent is a tool error, and its siblings go on", async () => {
  await using behest = await testBehest();
  const child = subagentTool({
    description: "d",
    inputSchema: z.object({ n: z.number() }),
    delegate: { tools: {} },
    run: async ({ n }) => (n === 1 ? Promise.reject(new Error("the provider is down")) : "fine"),
  });
  const model = fake(
    [
      ["child", { n: 1 }],
      ["child", { n: 2 }],
    ],
    "done",
  );
  const session = await behest.as("alice", upTo(5));
  await generateText(guard({ model, tools: { child }, prompt: "x", stopWhen }, session));
  expect(seen(model)).toEqual([expect.stringContaining("the provider is down"), "fine"]);
});

test("the same sub-agent under two names and two sessions belongs to each", async () => {
  await using behest = await testBehest();
  const child = subagentTool({
    description: "d",
    inputSchema: z.object({}),
    delegate: { tools: {} },
    run: async (_, { principal }) => principal,
  });
  const [alice, bob] = [await behest.as("alice", {}), await behest.as("bob", {})];
  const ambient = guardTools({ child });
  const run = async (session: Session): Promise<string[]> => {
    const model = fake(
      [
        ["one", {}],
        ["two", {}],
      ],
      "done",
    );
    await generateText(
      guard({ model, tools: { one: ambient.child, two: child }, prompt: "x", stopWhen }, session),
    );
    return seen(model);
  };
  expect(await Promise.all([run(alice), run(bob)])).toEqual([
    ["alice", "alice"],
    ["bob", "bob"],
  ]);
  const outside = child.execute!({}, { toolCallId: "c", messages: [], context: {} });
  await expect(outside).rejects.toMatchObject({ code: "no_session" });
});

test("an agent inside a tool that is no sub-agent's acts under its caller, and is asked again for each call", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const inner = fake([["pay", { amount: 1 }]], "paid");
  const agent = new ToolLoopAgent(guard({ model: inner, tools }));
  const assistant = tool({
    inputSchema: z.object({}),
    execute: async () => (await agent.generate({ prompt: "pay" })).text,
  });
  const model = fake(
    [
      ["assistant", {}],
      ["assistant", {}],
    ],
    [["assistant", {}]],
    "done",
  );
  const session = await behest.as("alice", { ...upTo(5), assistant: {} }, { run: "r" });
  await session.run(() => generateText(guard({ model, tools: { assistant }, prompt: "x", stopWhen })));
  expect(did).toHaveLength(3);
  expect(asked(inner)).toBe(6);
});

test("a run that is aborted does not wait for a sub-agent that does not listen", async () => {
  await using behest = await testBehest();
  const stop = new AbortController();
  const deaf = subagentTool({
    description: "d",
    inputSchema: z.object({}),
    delegate: { tools: {} },
    run: () => {
      setImmediate(() => stop.abort(new Error("the user left")));
      return new Promise(() => {});
    },
  });
  const settings = guard({ model: fake([["deaf", {}]], "done"), tools: { deaf }, prompt: "x", stopWhen });
  const session = await behest.as("alice", {});
  const running = session.run(() => generateText({ ...settings, abortSignal: stop.signal }));
  await expect(running).rejects.toThrow("the user left");
});
