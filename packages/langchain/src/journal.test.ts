import { testBehest } from "@behest/core/testing";
import { AIMessage, createAgent, createMiddleware, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, deciding, mailer, scripted, told } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";
import { crashing, granted, mailThenCrash, twice } from "../test/taken-up.ts";

test("a run that is taken up again asks the model nothing twice, and does nothing twice", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const { crash, dies } = crashing();
  const { result, askings } = await twice(
    behest,
    (model) =>
      createAgent({ model, tools: [sendMail, crash], middleware: behestMiddleware([dies]) }) as never,
    mailThenCrash,
  );

  expect(askings).toEqual([2, 1]);
  expect(sent).toHaveLength(1);
  expect(told(result.messages)).toEqual(["success: sent (none)", "success: calm"]);
  expect(result.messages.at(-1)?.text).toBe("done");
  expect((await behest.records.list()).map(({ tool, outcome }) => [tool, outcome])).toEqual([
    ["send_mail", "done"],
    ["crash", "done"],
  ]);
});

test("without a run id nothing is replayed", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  for (let i = 0; i < 2; i++) {
    const session = await behest.as("alice", granted);
    const model = scripted(
      calling({ name: "send_mail", args: { to: "bob@example.com" }, id: "c1" }),
      new AIMessage("done"),
    );
    const agent = createAgent({ model, tools: [sendMail], middleware: behestMiddleware() });
    await session.run(() => agent.invoke(ask("go")));
    expect(model.callCount).toBe(2);
  }
  expect(sent).toHaveLength(2);
});

test("LangChain's thread_id makes the run durable by itself", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const { crash, dies } = crashing();
  const askings: number[] = [];
  const config = { configurable: { thread_id: "thread-7" } };
  for (let i = 0; i < 2; i++) {
    const model = deciding(mailThenCrash);
    const agent = createAgent({ model, tools: [sendMail, crash], middleware: behestMiddleware([dies]) });
    const session = await behest.as("alice", granted);
    await session.run(() => agent.invoke(ask("go"), config)).catch(() => {});
    askings.push(model.callCount);
  }
  expect([askings, sent.length]).toEqual([[2, 1], 1]);
});

test("on replay the recorded decision stands, whatever other middleware makes of it now", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const { crash, dies } = crashing();
  let runs = 0;
  const fickle = createMiddleware({
    name: "fickle",
    wrapModelCall: async (request, handler) => {
      const answer = await handler(request);
      const [call] = answer.tool_calls ?? [];
      if (call?.name !== "send_mail") return answer;
      const tool_calls = [
        { ...call, id: `call-${runs++}`, args: { to: "bob@example.com", subject: `${runs}` } },
      ];
      return new AIMessage({ content: "", tool_calls });
    },
  });
  const { askings } = await twice(
    behest,
    (model) =>
      createAgent({ model, tools: [sendMail, crash], middleware: behestMiddleware([fickle, dies]) }) as never,
    mailThenCrash,
  );
  expect(sent.map(({ subject }) => subject)).toEqual(["1"]);
  expect(askings).toEqual([2, 1]);
});

test("a session that ends stops the run before the model is asked again", async () => {
  await using behest = await testBehest();
  const stop = new AbortController();
  const tired = tool(async () => (stop.abort(), "ok"), {
    name: "crash",
    description: "d",
    schema: z.object({}),
  });
  const model = deciding(() => calling({ name: "crash", args: {} }));
  const agent = createAgent({ model, tools: [tired], middleware: behestMiddleware() });
  const session = await behest.as("alice", granted, { signal: stop.signal });
  await expect(session.run(() => agent.invoke(ask("go")))).rejects.toThrow();
  expect(model.callCount).toBe(1);
});
