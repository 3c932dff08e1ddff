import { is } from "@behest/delegation";
import { Command, MemorySaver, interrupt } from "@langchain/langgraph";
import {
  AIMessage,
  type AgentMiddleware,
  createAgent,
  createMiddleware,
  ToolMessage,
  humanInTheLoopMiddleware,
  tool,
  toolRetryMiddleware,
} from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { answer, approving, callingOnce, config, payment } from "../test/approving.ts";
import { ask } from "../test/support.ts";
import { behestMiddleware, guardTools, pendingApprovals, resume, subagentTool } from "./index.ts";

/** Runs until it pauses, has everything approved, and resumes with new sessions and agents. */
async function approved(
  deployed: Awaited<ReturnType<typeof approving>>,
  tools: Parameters<typeof createAgent>[0]["tools"],
  calls: Parameters<typeof callingOnce>,
  inner: readonly AgentMiddleware[] = [],
) {
  const model = callingOnce(...calls);
  const checkpointer = new MemorySaver();
  const invoke = async (input: object) => {
    const agent = createAgent({
      model,
      tools: tools!,
      checkpointer,
      middleware: behestMiddleware(inner as []),
    });
    return (await deployed.open()).run(() => agent.invoke(input as never, config));
  };
  const first = await invoke(ask("go"));
  const asks = pendingApprovals(first);
  const shown = await deployed.behest.approvals.list();
  if (asks.length === 0) return { result: first, asks, shown };
  expect(pendingApprovals(await invoke(resume(asks)))).toEqual(asks);
  await deployed.decide("approve");
  return { result: await invoke(resume(asks)), asks, shown };
}

test("a schema whose defaults differ each time: what runs is what was first asked for", async () => {
  const deployed = await approving();
  let parsed = 0;
  const ran: unknown[] = [];
  const pay = tool(async (args) => `${ran.push(args)}`, {
    name: "pay",
    description: "d",
    schema: z.object({ amount: z.number(), nonce: z.number().default(() => ++parsed) }),
  });
  const { result, shown } = await approved(deployed, [pay], [payment(5)]);
  expect(answer(result)).toBe("success: 1");
  expect(parsed).toBeGreaterThan(2);
  expect(ran).toEqual(shown.map(({ args }) => args));
});

test("a retry inside does not swallow the pause, nor repeat the call", async () => {
  const deployed = await approving();
  const retry = toolRetryMiddleware({ maxRetries: 3, initialDelayMs: 1 });
  const { result } = await approved(deployed, [deployed.pay], [payment(5)], [retry]);
  expect(answer(result)).toBe("success: paid 1");
  expect(deployed.paid).toEqual([5]);
});

test("what a middleware inside makes of a waiting call's result does not matter", async () => {
  const deployed = await approving();
  const swallows = createMiddleware({
    name: "swallows",
    wrapToolCall: async (request, handler) => {
      await handler(request);
      return handler(request);
    },
  });
  const { result } = await approved(deployed, [deployed.pay], [payment(5)], [swallows]);
  expect(answer(result)).toBe("success: paid 1");
  expect(deployed.paid).toEqual([5]);
});

test("arguments that a middleware changes before they are approved are those that run; changed afterwards, nothing runs", async () => {
  for (const after of [0, 900]) {
    const deployed = await approving();
    let amount = 100;
    const changes = createMiddleware({
      name: "changes",
      wrapToolCall: (request, handler) => {
        const toolCall = { ...request.toolCall, args: { amount } };
        return handler({ ...request, toolCall });
      },
    });
    const model = callingOnce(payment(5));
    const agent = createAgent({
      model,
      tools: [deployed.pay],
      checkpointer: new MemorySaver(),
      middleware: behestMiddleware([changes]),
    });
    const session = await deployed.open();
    const asks = pendingApprovals(await session.run(() => agent.invoke(ask("go"), config)));
    expect(await deployed.behest.approvals.list()).toMatchObject([{ args: { amount: 100 } }]);
    await deployed.decide("approve");
    amount += after;
    const result = await session.run(() => agent.invoke(resume(asks) as never, config));
    expect(answer(result)).toMatch(
      after ? /^error: BehestDenied: pay: .*another call under this id/ : /^success/,
    );
    expect(deployed.paid).toEqual(after ? [] : [100]);
  }
});

test("a body that is called inside of another's cannot wait: an agent in an ordinary tool is denied", async () => {
  const deployed = await approving();
  const { behest, paid, pay } = deployed;
  const look = tool(
    async () => {
      const agent = createAgent({
        model: callingOnce(payment(5)),
        tools: [pay],
        middleware: behestMiddleware(),
      });
      const { messages } = await agent.invoke(ask("go"));
      return `${messages.at(-1)!.text}; ${await guardTools([pay])[0]!.invoke({ amount: 6 }).catch(String)}`;
    },
    { name: "look", description: "d", schema: z.object({}) },
  );
  const { result, asks } = await approved(deployed, [look], [{ name: "look", args: {} }]);
  expect(answer(result)).toMatch(/^success: error: .*cannot wait here.*; BehestDenied: .*cannot wait here/s);
  expect([asks, paid, await behest.approvals.list()]).toEqual([[], [], []]);
});

test("a sub-agent whose pause is caught by who runs it still pauses the run", async () => {
  const deployed = await approving();
  const { pay, paid } = deployed;
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({}),
    delegate: { tools: { pay: { "*": is.any.constraint } } },
    run: async () => {
      const agent = createAgent({
        model: callingOnce(payment(5)),
        tools: [pay],
        middleware: behestMiddleware(),
      });
      return agent.invoke(ask("go")).then(
        ({ messages }) => messages.at(-1)!.text,
        () => "sorry",
      );
    },
  });
  const { result } = await approved(deployed, [spawn], [{ name: "spawn", args: {} }]);
  expect(answer(result)).toBe("success: success: paid 1");
  expect(paid).toEqual([5]);
});

test.for(["v1", "v2"] as const)(
  "others' interrupts are not listed, and ours says yes to none of them: %s",
  async (version) => {
    const { open, pay, look, paid, looks, decide } = await approving();
    const pauses = createMiddleware({
      name: "pauses",
      wrapToolCall: (request, handler) => {
        if (request.toolCall.name === "look" && !interrupt("may I?"))
          return new ToolMessage({ content: "no", tool_call_id: request.toolCall.id! });
        return handler(request);
      },
    });
    const agent = createAgent({
      model: callingOnce({ name: "look", args: { at: "a" } }, payment(5)),
      tools: [look, pay],
      version,
      checkpointer: new MemorySaver(),
      middleware: behestMiddleware([pauses]),
    });
    const session = await open();
    const first = await session.run(() => agent.invoke(ask("go"), config));
    await decide("approve");
    const asks = pendingApprovals(first);
    // In "v1" all calls of a turn are one node, with one id: LangGraph tells of the first interrupt only.
    expect(asks).toHaveLength(version === "v1" ? 0 : 1);
    const { __interrupt__ } = first as unknown as { __interrupt__: { id: string }[] };
    const resumeId = asks[0]?.resumeId ?? __interrupt__[0]!.id;
    await session.run(() => agent.invoke(resume([{ approval: "", tool: "", resumeId }]) as never, config));
    expect([paid, looks]).toEqual([[5], []]);
  },
);

test("LangChain's own human-in-the-loop beside it decides nothing of ours", async () => {
  const deployed = await approving();
  const hitl = humanInTheLoopMiddleware({ interruptOn: { pay: true } });
  const { open, pay, paid, behest, decide } = deployed;
  const agent = createAgent({
    model: callingOnce(payment(5)),
    tools: [pay],
    checkpointer: new MemorySaver(),
    middleware: behestMiddleware([hitl]),
  });
  const session = await open();
  const first = await session.run(() => agent.invoke(ask("go"), config));
  expect([pendingApprovals(first), await behest.approvals.list()]).toEqual([[], []]);
  const approve = new Command({ resume: { decisions: [{ type: "approve" }] } });
  const second = await session.run(() => agent.invoke(approve, config));
  expect(paid).toEqual([]);
  await session.run(() => agent.invoke(approve, config));
  expect(paid).toEqual([]);
  await decide("approve");
  await session.run(() => agent.invoke(resume(pendingApprovals(second)) as never, config));
  expect(paid).toEqual([5]);
});

test("streams: what waits is found in their chunks, and a stream resumes it", async () => {
  const deployed = await approving();
  const { open, pay, paid, decide } = deployed;
  const checkpointer = new MemorySaver();
  const model = callingOnce(payment(5));
  const agent = () => createAgent({ model, tools: [pay], checkpointer, middleware: behestMiddleware() });
  const chunks = async (input: object, streamMode: unknown) => {
    const stream = await (
      await open()
    ).run(() => agent().stream(input as never, { ...config, streamMode } as never));
    const found: object[] = [];
    for await (const chunk of stream) found.push(chunk as object);
    return found;
  };
  const asks = pendingApprovals(await chunks(ask("go"), "updates"));
  expect(asks).toHaveLength(1);
  for (const mode of ["values", ["values", "updates"]])
    expect(pendingApprovals(await chunks(resume(asks), mode))).toEqual(asks);
  const run = await (
    await open()
  ).run(() => agent().streamEvents(resume(asks) as never, { ...config, version: "v3" }));
  await run.output;
  expect(pendingApprovals(run)).toEqual(asks);
  expect(paid).toEqual([]);
  await decide("approve");
  const last = (await chunks(resume(asks), "updates")).at(-1) as {
    [node: string]: { messages: AIMessage[] };
  };
  expect(Object.values(last)[0]!.messages[0]!.text).toBe("success: paid 1");
  expect(paid).toEqual([5]);
});
