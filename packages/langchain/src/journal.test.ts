import { type AatTools, grants, is } from "@behest/delegation";
import { type Store, memoryStore, readStore } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { AIMessage, createAgent, createMiddleware, providerStrategy, tool, toolStrategy } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ManyModel, ask, calling, deciding, mailer, scripted, told } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";

const granted: AatTools = { send_mail: { "*": is.any.constraint }, crash: { "*": is.any.constraint } };

/** A tool that dies the first time, as a process that is killed would: the run rejects. */
function crashing() {
  let crashes = 1;
  const crash = tool(async () => "calm", { name: "crash", description: "d", schema: z.object({}) });
  const dies = createMiddleware({
    name: "dies",
    wrapToolCall: (request, handler) => {
      if (request.toolCall.name === "crash" && crashes-- > 0) throw new Error("killed");
      return handler(request);
    },
  });
  return { crash, dies };
}

/** Runs an agent until it dies, and again under the same run: only its session and its model are new. */
async function twice(
  behest: TestBehest,
  agentOf: (model: ReturnType<typeof deciding>) => {
    invoke(input: object): Promise<{ messages: AIMessage[] }>;
  },
  decide: Parameters<typeof deciding>[0],
) {
  const models = [deciding(decide), deciding(decide)] as const;
  const first = await behest.as("alice", granted, { run: "thread-1" });
  await expect(first.run(() => agentOf(models[0]).invoke(ask("go")))).rejects.toThrow("killed");
  const second = await behest.as("alice", granted, { run: "thread-1" });
  const result = await second.run(() => agentOf(models[1]).invoke(ask("go")));
  return { result, askings: models.map(({ callCount }) => callCount) };
}

/** mail, then crash, then done; every asking makes fresh call ids. */
const mailThenCrash: Parameters<typeof deciding>[0] = (messages) => {
  const results = messages.filter(({ type }) => type === "tool").length;
  if (results === 0) return calling({ name: "send_mail", args: { to: "bob@example.com" } });
  return results === 1 ? calling({ name: "crash", args: {} }) : new AIMessage("done");
};

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

const Verdict = z.object({ answer: z.number() });

test("a structured answer, and LangChain's retry of a wrong one, are the same when they are replayed", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const { crash, dies } = crashing();
  const responseFormat = toolStrategy(Verdict);
  const [{ name: extract }] = responseFormat;
  const { result, askings } = await twice(
    behest,
    (model) =>
      createAgent({
        model,
        tools: [sendMail, crash],
        responseFormat,
        middleware: behestMiddleware([dies]),
      }) as never,
    (messages) => {
      const results = messages.filter(({ type }) => type === "tool").length;
      // Before anything else a wrong answer, which LangChain sends back with a command of its own.
      if (results === 0) return calling({ name: extract, args: { answer: "seven" } });
      if (results === 1) return calling({ name: "send_mail", args: { to: "bob@example.com" } });
      return results === 2
        ? calling({ name: "crash", args: {} })
        : calling({ name: extract, args: { answer: 7 } });
    },
  );
  expect(result).toHaveProperty("structuredResponse", { answer: 7 });
  expect([askings, sent.length]).toEqual([[3, 1], 1]);
});

test("a provider's structured answer is parsed again when it is replayed", async () => {
  await using behest = await testBehest();
  const { sendMail } = mailer();
  const answers: unknown[] = [];
  const askings: number[] = [];
  for (const fails of [true, false]) {
    const model = deciding(() => new AIMessage('{"answer":7}'));
    const dies = createMiddleware({
      name: "dies",
      afterModel: () => {
        if (fails) throw new Error("killed");
      },
    });
    const responseFormat = providerStrategy(Verdict);
    const agent = createAgent({
      model,
      tools: [sendMail],
      responseFormat,
      middleware: behestMiddleware([dies]),
    });
    const session = await behest.as("alice", granted, { run: "thread-1" });
    const result = await session.run(() => agent.invoke(ask("go"))).catch(() => undefined);
    answers.push(result?.structuredResponse);
    askings.push(model.callCount);
  }
  expect([answers, askings]).toEqual([
    [undefined, { answer: 7 }],
    [1, 0],
  ]);
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

test("a turn is recorded with model, prompt, tools, reasoning, alternatives, and the actions it led to", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const { sendMail } = mailer();
  const chosen = calling({ name: "send_mail", args: { to: "bob@example.com" } });
  chosen.content = [{ type: "reasoning", reasoning: "bob asked" }];
  chosen.response_metadata = { model_name: "model-7" };
  const model = new ManyModel([[chosen, new AIMessage("the road not taken")], [new AIMessage("done")]]);
  const agent = createAgent({
    model,
    tools: [sendMail],
    systemPrompt: "Be kind.",
    middleware: behestMiddleware(),
  });
  const session = await behest.as("alice", granted);
  await session.run(() => agent.invoke(ask("go")));

  const [first, second] = await interactions(store);
  const [{ action }] = (await behest.records.list()) as [{ action: string }];
  expect(first).toMatchObject({ model: "model-7", provider: "many", calls: [{ action, tool: "send_mail" }] });
  const parts = (entry: Interaction) => Object.keys(entry.content).toSorted();
  expect(parts(first!)).toEqual(["alternatives", "instruction", "reasoning", "response", "system", "tools"]);
  expect(second).toMatchObject({ model: "many-1", calls: [] });
  expect(parts(second!)).toEqual(["instruction", "response", "system", "tools"]);
});

interface Interaction {
  readonly model: string;
  readonly content: object;
}

async function interactions(store: Store): Promise<Interaction[]> {
  const found: Interaction[] = [];
  for await (const jws of readStore(store).entries()) {
    const payload = JSON.parse(Buffer.from(jws.split(".")[1]!, "base64url").toString()) as { type: string };
    if (payload.type === "interaction") found.push(payload as never);
  }
  return found;
}

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
