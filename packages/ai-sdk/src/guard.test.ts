import { ToolLoopAgent, dynamicTool, generateText, isStepCount, streamText, tool } from "ai";
import { MockProviderV4 } from "ai/test";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { BehestError, currentSession } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { grants, is } from "@behest/delegation";
import { asked, fake, fakeOf, seen, toolbox } from "./fake.ts";
import { guard, guardTools } from "./index.ts";

const stopWhen = isStepCount(5);
const { tools: named } = toolbox();
const allowed = grants(named, { pay: { amount: is.atMost(50), currency: "EUR" }, read_file: true });

afterEach(() => {
  delete globalThis.AI_SDK_DEFAULT_PROVIDER;
});

test("what is delegated runs, what is not reaches the model as a tool error, and the loop goes on", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }], ["pay", { amount: 500 }], ["drop_table", { name: "users" }]], "done");
  const result = await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  expect(result.text).toBe("done");
  expect(did).toEqual(["pay 5 EUR"]);
  expect(seen(model)).toEqual([
    "paid 5",
    expect.stringMatching(/^BehestDenied: pay: argument "amount" is outside what was delegated .*do not retry this one\.$/),
    expect.stringMatching(/^BehestDenied: drop_table: this tool was not delegated\./),
  ]);
  const [error] = result.steps[0]!.content.filter((part) => part.type === "tool-error");
  expect(error!.error).toSatisfy(BehestError.isInstance);
  const records = await behest.records.list();
  expect(records.map((r) => [r.tool, r.verdict, r.code, r.outcome]).toSorted()).toEqual([
    ["drop_table", "deny", "tool_not_granted", undefined],
    ["pay", "deny", "argument_not_granted", undefined],
    ["pay", "permit", "ok", "done"],
  ]);
});

test("streamText and ToolLoopAgent are held to the same", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const script = [[["read_file", { path: "a" }], ["pay", { amount: 51 }]], "done"] as const;
  const streamed = fake(...script);
  expect(await streamText(guard({ model: streamed, tools, prompt: "x", stopWhen }, session)).text).toBe("done");
  const model = fake(...script);
  const agent = new ToolLoopAgent(guard({ model, tools }));
  expect((await session.run(() => agent.generate({ prompt: "y" }))).text).toBe("done");
  expect(await (await session.run(() => agent.stream({ prompt: "z" }))).text).toBe("done");
  expect(did).toEqual(["read a", "read a", "read a"]);
  for (const result of [seen(streamed), seen(model, 1), seen(model, 3)])
    expect(result).toEqual(["content of a", expect.stringContaining("argument")]);
});

test("without a session nothing runs, and the message says what to do", async () => {
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const settings = guard({ model, tools, prompt: "x", stopWhen });
  const message = /^no_session: the model was called outside a session\. Wrap the call: session\.run\(.*guard\(settings, session\)/;
  await expect(generateText(settings)).rejects.toThrow(message);
  expect(asked(model)).toBe(0);
  const bare = await generateText({ model, tools: guardTools(tools), prompt: "x", stopWhen });
  expect(bare.steps[0]!.content.at(-1)).toMatchObject({ type: "tool-error", error: { code: "no_session" } });
  expect(seen(model)).toEqual([expect.stringMatching(/no_session: "pay" was called outside a session/)]);
  expect(did).toEqual([]);
});

test("an explicit session wins over the ambient one, and is ambient in the tools' bodies", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", { who: {} });
  const bob = await behest.as("bob", { who: {} });
  const tools = { who: tool({ inputSchema: z.object({}), execute: async () => currentSession().principal }) };
  const model = fake([["who", {}]], "done");
  const run = (session?: typeof alice) => generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  await bob.run(() => run(alice));
  expect(seen(model)).toEqual(["alice"]);
  await bob.run(() => run());
  expect(seen(model)).toEqual(["bob"]);
  await run(alice);
  expect(seen(model)).toEqual(["alice"]);
});

test("one agent at module scope serves two tenants at the same time", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const model = fakeOf((prompt) => {
    if (prompt.some(({ role }) => role === "tool")) return "done";
    return [["pay", { amount: 5 }, "0"], ["read_file", { path: "a" }, "1"]];
  });
  const agent = new ToolLoopAgent(guard({ model, tools }));
  const [alice, bob] = await Promise.all([
    behest.as("alice", grants(named, { pay: { amount: 5, currency: is.any } })),
    behest.as("bob", grants(named, { read_file: true })),
  ]);
  await Promise.all([
    alice.run(() => agent.generate({ prompt: "x" })),
    bob.run(async () => (await agent.stream({ prompt: "x" })).text),
  ]);
  expect(did.toSorted()).toEqual(["pay 5 EUR", "read a"]);
  const of = async (session: typeof alice) =>
    (await behest.records.list({ session })).map((r) => `${r.principal} ${r.tool} ${r.verdict}`).toSorted();
  expect(await of(alice)).toEqual(["alice pay permit", "alice read_file deny"]);
  expect(await of(bob)).toEqual(["bob pay deny", "bob read_file permit"]);
});

test("arguments are authorised as parsed: defaults, transforms, repairs and refinements included", async () => {
  await using behest = await testBehest();
  const tools = {
    send: tool({
      inputSchema: z.object({
        to: z.string().transform((to) => to.toLowerCase()),
        urgent: z.boolean().default(false),
      }),
      execute: async (input) => `${JSON.stringify(input)} ${Object.isFrozen(input)}`,
    }),
  };
  const session = await behest.as("alice", grants(tools, { send: { to: ["a@x", "refined@x"], urgent: false } }));
  const model = fake([["send", { to: "A@X" }], ["send", { to: "b@x" }], ["send", { to: "a@x", urgent: true }]], "done");
  await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  expect(seen(model)).toEqual(['{"to":"a@x","urgent":false} true', expect.stringContaining('"to"'), expect.stringContaining('"urgent"')]);

  const mended = fake([["send", "{not json"], ["send", { to: "evil@x" }]], "done");
  const experimental_refineToolInput = {
    send: (input: { to: string; urgent: boolean }) => ({ ...input, to: input.to.replace("evil", "refined") }),
  };
  await generateText(
    guard(
      {
        model: mended,
        tools,
        prompt: "x",
        stopWhen,
        repairToolCall: async ({ toolCall }) => ({ ...toolCall, input: '{"to":"c@x"}' }),
        experimental_refineToolInput,
      },
      session,
    ),
  );
  expect(seen(mended)).toEqual([expect.stringContaining('"to"'), '{"to":"refined@x","urgent":false} true']);
});

test("parsed arguments that are not JSON are refused: they could not be what was decided on", async () => {
  await using behest = await testBehest();
  let ran = false;
  const at = z.object({ at: z.string().transform((text) => new Date(text)) });
  const tools = { book: tool({ inputSchema: at, execute: async () => void (ran = true) }) };
  const session = await behest.as("alice", grants(tools, { book: true }));
  const model = fake([["book", { at: "2026-01-01" }]], "done");
  await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  expect(seen(model)).toEqual([expect.stringContaining("BehestDenied: book: its parsed arguments are not JSON")]);
  expect(ran).toBe(false);
});

test("parallel calls of one turn and two interleaved sessions keep to themselves", async () => {
  await using behest = await testBehest();
  const seenBy: Record<string, Set<string>> = {};
  const tools = {
    note: tool({
      inputSchema: z.object({ n: z.number(), of: z.string() }),
      execute: async ({ n, of }) => {
        await new Promise((resolve) => setImmediate(resolve));
        (seenBy[of] ??= new Set()).add(currentSession().principal);
        return n;
      },
    }),
  };
  const calls = (of: string) => [...Array(8).keys()].map((n) => ["note", { n, of }, String(n)] as const);
  const run = async (of: string): Promise<string[]> => {
    const session = await behest.as(of, grants(tools, { note: true }));
    const model = fake(calls(of), calls(of), "done");
    await session.run(() => generateText(guard({ model, tools, prompt: "x", stopWhen })));
    return seen(model);
  };
  const [alice, bob] = await Promise.all([run("alice"), run("bob")]);
  // Call ids repeat in the second turn: those are other actions.
  expect(alice).toEqual([...Array(16).keys()].map((n) => String(n % 8)));
  expect(bob).toEqual(alice);
  expect(seenBy).toEqual({ alice: new Set(["alice"]), bob: new Set(["bob"]) });
});

test("parallel loops in one session are told apart although their models number calls alike", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed, { run: "r" });
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }, "0"]], "done");
  const loop = () => generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  await Promise.all([loop(), loop(), loop()]);
  expect(did).toEqual(["pay 5 EUR", "pay 5 EUR", "pay 5 EUR"]);
});

test("a model that prepareStep answers is guarded too", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]]);
  const other = fake("unused", [["drop_table", { name: "users" }]], "done");
  const seenModels = new Set<unknown>();
  const settings = guard({
    model,
    tools,
    prompt: "x",
    stopWhen,
    prepareStep: ({ stepNumber, model: current, messages }) => {
      seenModels.add(current);
      return stepNumber === 0 ? undefined : { model: stepNumber === 1 ? other : current, messages, activeTools: ["drop_table", "pay"] };
    },
  });
  await session.run(() => generateText(settings));
  expect(did).toEqual(["pay 5 EUR"]);
  expect(seenModels.size).toBe(1);
  expect(other.doGenerateCalls[0]!.tools!.map(({ name }) => name)).toEqual(["pay"]);
  await expect(generateText({ ...settings, prepareStep: () => ({ model: guard({ model: other }).model }) })).rejects.toThrow("no_session");
});

test("model, tools and approval that prepareCall answers are guarded too", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const swapped = toolbox();
  const other = fake([["pay", { amount: 5 }, "c0"], ["drop_table", { name: "users" }, "c1"], ["read_file", { path: "a" }, "c2"]], "done");
  const agent = new ToolLoopAgent(
    guard({
      model: fake("not asked"),
      tools,
      prepareCall: ({ ...rest }) => ({
        ...rest,
        model: other,
        tools: swapped.tools,
        toolApproval: { read_file: "denied" as const },
        prepareStep: () => ({ activeTools: ["pay", "drop_table", "read_file"] }),
      }),
    }),
  );
  await session.run(() => agent.generate({ prompt: "x" }));
  expect(did).toEqual([]);
  expect(swapped.did).toEqual(["pay 5 EUR"]);
  expect(seen(other)).toEqual(["paid 5", expect.stringContaining("not delegated"), "execution-denied"]);
});

test("settings are not changed, and guarding twice wraps once", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const settings = Object.freeze({ model, tools: Object.freeze(tools), prompt: "x", stopWhen });
  const once = guard(settings);
  const twice = guard(guard({ ...once, tools: guardTools(once.tools) }), session);
  expect(settings).toEqual({ model, tools, prompt: "x", stopWhen });
  await generateText(twice);
  expect(did).toEqual(["pay 5 EUR"]);
  expect(await behest.records.list()).toHaveLength(1);
  expect(asked(model)).toBe(2);
});

test("a tool that was put beside the guarded ones is not offered: the call is refused", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const settings = guard({ model, tools, prompt: "x", stopWhen }, session);
  // Same names, bodies that were never guarded.
  for (const raw of [{ ...settings.tools, extra: tools.pay }, tools])
    await expect(generateText({ ...settings, tools: raw as typeof tools })).rejects.toMatchObject({ code: "tool_unguarded" });
  expect(asked(model)).toBe(0);
  expect(did).toEqual([]);
  await generateText({ ...settings, tools: guardTools(tools, session) });
  expect(did).toEqual(["pay 5 EUR"]);
});

test("the user's own toolApproval stays what it was, as a map, as a function, and on the tool", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const pause = await generateText(guard({ model, tools, prompt: "x", stopWhen, toolApproval: { pay: "user-approval" } }, session));
  expect(pause.steps[0]!.content.at(-1)).toMatchObject({ type: "tool-approval-request" });
  const no = await generateText(
    guard({ model, tools, prompt: "x", stopWhen, toolApproval: ({ toolCall }) => ({ type: "denied", reason: toolCall.toolName }) }, session),
  );
  expect(no.steps[0]!.content.find((part) => part.type === "tool-approval-response")).toMatchObject({ approved: false, reason: "pay" });
  const asking = { ...tools, pay: { ...tools.pay, needsApproval: true } };
  const own = await generateText(guard({ model, tools: asking, prompt: "x", stopWhen }, session));
  expect(own.steps[0]!.content.at(-1)).toMatchObject({ type: "tool-approval-request" });
  expect(did).toEqual([]);
});

test("a string id is resolved at the call, under the provider of that moment", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const agent = new ToolLoopAgent(guard({ model: "openai/gpt-5", tools }));
  const model = fake([["pay", { amount: 5 }]], "done");
  globalThis.AI_SDK_DEFAULT_PROVIDER = new MockProviderV4({ languageModels: { "openai/gpt-5": model } });
  const result = await session.run(() => agent.generate({ prompt: "x" }));
  expect(result.text).toBe("done");
  expect(result.steps[0]!.model).toEqual({ provider: model.provider, modelId: model.modelId });
  expect(did).toEqual(["pay 5 EUR"]);
});

test("an error of the tool itself reaches the model as it would without us", async () => {
  await using behest = await testBehest();
  const tools = {
    fail: tool({ inputSchema: z.object({}), execute: async (): Promise<string> => Promise.reject(new RangeError("too far")) }),
    any: dynamicTool({ inputSchema: z.unknown(), execute: async (input) => input }),
  };
  const session = await behest.as("alice", { fail: {}, any: { a: { constraint_type: "wildcard" } } });
  const model = fake([["fail", {}], ["any", { a: [1] }]], "done");
  const plain = fake([["fail", {}], ["any", { a: [1] }]], "done");
  await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  await generateText({ model: plain, tools, prompt: "x", stopWhen });
  expect(seen(model)).toEqual(seen(plain));
  expect((await behest.records.list({ tool: "fail" }))[0]).toMatchObject({ verdict: "permit", outcome: "failed" });
});
