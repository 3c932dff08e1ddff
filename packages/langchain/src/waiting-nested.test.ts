import { MemorySaver, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { createDeepAgent } from "deepagents";
import { AIMessage, type BaseMessage, createAgent } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { answer, approving, callingOnce, config, granted, payment } from "../test/approving.ts";
import { isChild, task } from "../test/delegating.ts";
import { ask, calling, deciding, told } from "../test/support.ts";
import {
  behestMiddleware,
  guardDeepAgent,
  guardTools,
  pendingApprovals,
  resume,
  subagentTool,
} from "./index.ts";

type Deployed = Awaited<ReturnType<typeof approving>>;
interface Agent {
  invoke(input: never, options: object): Promise<{ messages: BaseMessage[] }>;
}

/** Runs, then approves one by one whatever waits, each time with a new session and new agents, until the run ends. */
async function untilDone(deployed: Deployed, agent: () => Agent) {
  const { open, behest, decide } = deployed;
  let result = await (await open()).run(() => agent().invoke(ask("go") as never, config));
  let pauses = 0;
  for (let asks = pendingApprovals(result); asks.length > 0; asks = pendingApprovals(result)) {
    expect(++pauses).toBeLessThan(9);
    const before = deployed.paid.length;
    result = await (await open()).run(() => agent().invoke(resume(asks) as never, config));
    asks = pendingApprovals(result);
    expect([asks.length > 0, deployed.paid.length]).toEqual([true, before]);
    const waiting = await behest.approvals.list();
    const one = waiting.find(({ id }) => id === asks[0]!.approval)!;
    await decide("approve", (one.args as { amount: number }).amount);
    result = await (await open()).run(() => agent().invoke(resume(asks) as never, config));
  }
  return { result, pauses };
}

test("calls in a ToolNode pause its graph one after the other, and each is made once", async () => {
  const deployed = await approving();
  const { pay, look, paid, looks } = deployed;
  const checkpointer = new MemorySaver();
  const turn = calling({ name: "look", args: { at: "a" } }, payment(1), payment(2));
  const graph = () =>
    new StateGraph(MessagesAnnotation)
      .addNode("model", () => ({
        messages: [new AIMessage({ id: "turn-1", content: "", tool_calls: turn.tool_calls! })],
      }))
      .addNode("tools", new ToolNode(guardTools([pay, look])))
      .addEdge("__start__", "model")
      .addEdge("model", "tools")
      .compile({ checkpointer });
  const { result } = await untilDone(deployed, () => graph() as never);
  expect(told(result.messages).toSorted()).toEqual(["success: paid 1", "success: paid 2", "success: saw 1"]);
  expect([paid.toSorted(), looks]).toEqual([[1, 2], ["a"]]);
});

test("a guarded tool that is called by hand cannot wait: it is denied", async () => {
  const { open, pay, paid, behest } = await approving();
  const [guarded] = guardTools([pay]);
  await (
    await open()
  ).run(async () => {
    await expect(guarded!.invoke({ amount: 5 })).rejects.toMatchObject({
      code: "approval_needed",
      waiting: undefined,
    });
    const call = { name: "pay", args: { amount: 5 }, id: "c1", type: "tool_call" as const };
    expect(await guarded!.invoke(call)).toMatchObject({ status: "error" });
  });
  expect(paid).toEqual([]);
  expect(await behest.approvals.list()).toEqual([]);
});

/** Agents, each started by the one above, `parallel` at a time; the last make a payment each. */
function nested(
  { pay, look }: Deployed,
  depth: number,
  { parallel = 1, checkpointer }: { parallel?: number; checkpointer?: false },
) {
  const saver = new MemorySaver();
  const asked: number[] = [];
  const agentAt = (level: number, amount: number): Agent => {
    const spawn = subagentTool({
      name: "spawn",
      description: "d",
      schema: z.object({ amount: z.number() }),
      delegate: { tools: granted },
      run: async (input) =>
        (await agentAt(level + 1, input.amount).invoke(ask("go") as never, {})).messages.at(-1)!.text,
    });
    const calls =
      level < depth
        ? Array.from({ length: parallel }, (_, i) => ({ name: "spawn", args: { amount: amount * 10 + i } }))
        : [payment(amount), { name: "look", args: { at: `${amount}` } }];
    const model = deciding((messages) => {
      asked[level] = (asked[level] ?? 0) + 1;
      const results = told(messages);
      return results.length > 0 ? new AIMessage(results.join(", ")) : calling(...calls);
    });
    const saving = level === 0 ? { checkpointer: saver } : checkpointer === false ? { checkpointer } : {};
    return createAgent({
      model,
      tools: [pay, look, spawn],
      middleware: behestMiddleware(),
      ...saving,
    }) as Agent;
  };
  return { agent: () => agentAt(0, 1), asked };
}

test.for([
  ["that inherits the checkpointer", {}],
  ["that has none", { checkpointer: false }],
] as const)(
  "a sub-agent's sub-agent %s pauses the whole run, and nobody is asked or does anything twice",
  async ([, options]) => {
    const deployed = await approving();
    const { agent, asked } = nested(deployed, 2, options);
    const { result, pauses } = await untilDone(deployed, agent);
    expect(answer(result)).toBe("success: success: success: paid 1, success: saw 1");
    expect([deployed.paid, deployed.looks, asked, pauses]).toEqual([[100], ["100"], [2, 2, 2], 1]);
  },
);

test.for([
  ["that inherit the checkpointer", {}],
  ["that have none", { checkpointer: false }],
] as const)("three sub-agents at once %s, approved one by one", async ([, options]) => {
  const deployed = await approving();
  const { agent, asked } = nested(deployed, 1, { parallel: 3, ...options });
  const { result } = await untilDone(deployed, agent);
  expect(told(result.messages)).toHaveLength(3);
  expect(deployed.paid.toSorted()).toEqual([10, 11, 12]);
  expect(deployed.looks.toSorted()).toEqual(["10", "11", "12"]);
  expect(asked).toEqual([2, 6]);
});

test("a graph below is told of once, by its own interrupt, in streams with sub-graphs too", async () => {
  const deployed = await approving();
  const { agent } = nested(deployed, 1, {});
  const stream = await (
    await deployed.open()
  ).run(() =>
    (agent() as ReturnType<typeof createAgent>).stream(ask("go"), {
      ...config,
      streamMode: "updates",
      subgraphs: true,
    }),
  );
  const chunks: object[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  expect(pendingApprovals(chunks)).toHaveLength(1);
});

test("a ToolNode in a sub-agent pauses by itself: its graph never goes on with a call that waits", async () => {
  const deployed = await approving();
  const seen: string[] = [];
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({}),
    delegate: { tools: granted },
    run: async () => {
      const turn = new AIMessage({
        id: "turn-1",
        content: "",
        tool_calls: calling(payment(5, "p1")).tool_calls!,
      });
      const graph = new StateGraph(MessagesAnnotation)
        .addNode("model", () => ({ messages: [turn] }))
        .addNode("tools", new ToolNode(guardTools([deployed.pay])))
        .addNode("after", ({ messages }) => (seen.push(...told(messages)), {}))
        .addEdge("__start__", "model")
        .addEdge("model", "tools")
        .addEdge("tools", "after")
        .compile();
      return (await graph.invoke(ask("go"))).messages.at(-1)!.text;
    },
  });
  const checkpointer = new MemorySaver();
  const model = callingOnce({ name: "spawn", args: {} });
  const middleware = behestMiddleware();
  const agent = () => createAgent({ model, tools: [spawn], middleware, checkpointer }) as Agent;
  const { result } = await untilDone(deployed, agent);
  expect(answer(result)).toBe("success: paid 1");
  expect(seen).toEqual(["success: paid 1"]);
});

test("a sub-agent in something else than LangGraph: the tool that starts it pauses, and starts it again", async () => {
  const deployed = await approving();
  const runs: string[] = [];
  const paid: number[] = [];
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({}),
    delegate: { tools: granted },
    run: async (_, session) => {
      runs.push(session.agent);
      const done = await session
        .perform({ tool: "pay", args: { amount: 7 }, callId: "1" }, async () => `paid ${paid.push(7)}`)
        .catch(() => undefined);
      return done?.outcome === "done" ? done.value : "sorry";
    },
  });
  const saver = new MemorySaver();
  const model = callingOnce({ name: "spawn", args: {} });
  const { result } = await untilDone(
    deployed,
    () =>
      createAgent({ model, tools: [spawn], middleware: behestMiddleware(), checkpointer: saver }) as Agent,
  );
  expect(answer(result)).toBe("success: paid 1");
  expect([paid, runs.length, model.callCount]).toEqual([[7], 3, 2]);
});

test("where the parent cannot pause, what its sub-agent wants is denied", async () => {
  const deployed = await approving();
  const { agent } = nested(deployed, 1, {});
  const bare = createAgent({
    model: callingOnce({ name: "spawn", args: { amount: 1 } }),
    tools: [
      subagentTool({
        name: "spawn",
        description: "d",
        schema: z.object({ amount: z.number() }),
        delegate: { tools: granted },
        // It could pause by itself, and nobody would resume it.
        run: async () =>
          answer(await agent().invoke(ask("go") as never, { configurable: { thread_id: "own" } }))!,
      }),
    ],
    middleware: behestMiddleware(),
  });
  const result = await (await deployed.open()).run(() => bare.invoke(ask("go"), config));
  expect(result).not.toHaveProperty("__interrupt__");
  expect(answer(result)).toMatch(/It cannot wait here/);
  expect(deployed.paid).toEqual([]);
  expect(await deployed.behest.approvals.list()).toEqual([]);
});

test.for([
  ["under its parent's session", undefined],
  ["under its own delegation", { tools: granted }],
] as const)("a deep agent's sub-agents pause it, %s: three at once", async ([, delegate]) => {
  const deployed = await approving();
  let asked = 0;
  const model = () =>
    deciding((messages) => {
      asked++;
      const results = told(messages);
      if (results.length > 0) return new AIMessage(results.join(", "));
      if (!isChild(messages)) return calling(...["do it", "do it", "do it"].map(() => task("payer")));
      return calling(payment(5));
    });
  const checkpointer = new MemorySaver();
  const payer = { name: "payer", description: "Pays", systemPrompt: "Pay.", tools: [deployed.pay] };
  const agent = () =>
    createDeepAgent(
      guardDeepAgent({
        model: model(),
        tools: [deployed.pay],
        checkpointer,
        subagents: [delegate ? { ...payer, delegate } : payer],
      }),
    );
  const { result } = await untilDone(deployed, () => agent() as never);
  expect(told(result.messages).toSorted()).toEqual([1, 2, 3].map((n) => `success: success: paid ${n}`));
  expect(deployed.paid).toEqual([5, 5, 5]);
  expect(asked).toBe(8);
});
