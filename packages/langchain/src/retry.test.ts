import { grants, is } from "@behest/delegation";
import { withProfile } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { Command, MemorySaver } from "@langchain/langgraph";
import { AIMessage, createAgent, humanInTheLoopMiddleware, toolRetryMiddleware, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, mailer, scripted, told } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";

const toExample = (tools: Parameters<typeof grants>[0]) =>
  grants(tools, { send_mail: { to: is.email("@example.com"), "*": is.any } } as never);

test("a retry inside gives a read another attempt, and never another kind of tool", async () => {
  await using behest = await testBehest();
  const tries = { read: 0, pay: 0 };
  const flaky = (name: "read" | "pay") =>
    tool(
      async () => {
        if (++tries[name] === 1) throw new Error("flaky");
        return "ok";
      },
      { name, description: "d", schema: z.object({}) },
    );
  const read = withProfile(flaky("read"), { effect: "read", boundary: "inside" });
  const pay = flaky("pay");
  const session = await behest.as("alice", grants([read, pay], { read: true, pay: true }));
  const model = scripted(
    calling({ name: "read", args: {} }, { name: "pay", args: {} }),
    new AIMessage("done"),
  );
  const retry = toolRetryMiddleware({ maxRetries: 2, initialDelayMs: 1 });
  const agent = createAgent({ model, tools: [read, pay], middleware: behestMiddleware([retry]) });

  const { messages } = await session.run(() => agent.invoke(ask("go")));

  expect(tries).toEqual({ read: 2, pay: 1 });
  expect(told(messages)).toEqual([
    "success: ok",
    "error: BehestDenied: pay: this very call ran before and failed; it is not run again. Other calls may go on; do not retry this one.",
  ]);
});

test("a denial is not retried", async () => {
  await using behest = await testBehest();
  const { sendMail } = mailer();
  const session = await behest.as("alice", toExample([sendMail]));
  const model = scripted(
    calling({ name: "send_mail", args: { to: "eve@evil.test" } }),
    new AIMessage("done"),
  );
  const retry = toolRetryMiddleware({ maxRetries: 5, initialDelayMs: 1 });
  const agent = createAgent({ model, tools: [sendMail], middleware: behestMiddleware([retry]) });

  await session.run(() => agent.invoke(ask("go")));

  expect(await behest.records.list()).toHaveLength(1);
});

test("what a person edits in LangChain's human-in-the-loop is decided on as edited", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const hitl = humanInTheLoopMiddleware({ interruptOn: { send_mail: true } });
  for (const [to, result] of [
    ["bob@example.com", /^success/],
    ["eve@evil.test", /^error: BehestDenied/],
  ] as const) {
    const model = scripted(
      calling({ name: "send_mail", args: { to: "x@example.com" } }),
      new AIMessage("done"),
    );
    const checkpointer = new MemorySaver();
    const agent = createAgent({
      model,
      tools: [sendMail],
      checkpointer,
      middleware: behestMiddleware([hitl]),
    });
    const config = { configurable: { thread_id: to } };
    const session = await behest.as("alice", toExample([sendMail]));

    const paused = await session.run(() => agent.invoke(ask("go"), config));
    expect(paused).toHaveProperty("__interrupt__");
    const edited = { name: "send_mail", args: { to } };
    const resume = { decisions: [{ type: "edit", editedAction: edited }] };
    const { messages } = await session.run(() => agent.invoke(new Command({ resume }), config));

    expect(told(messages).at(-1)).toMatch(result);
  }
  expect(sent.map(({ to }) => to)).toEqual(["bob@example.com"]);
});
