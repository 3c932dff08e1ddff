import { ToolLoopAgent, dynamicTool, generateText, isStepCount, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { BehestError, currentSession } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { grants, is } from "@behest/delegation";
import { asked, fake, fakeOf, seen, toolbox } from "../test/fake.ts";
import { guard, guardTools } from "./index.ts";

const stopWhen = isStepCount(5);
const { tools: named } = toolbox();
const allowed = grants(named, { pay: { amount: is.atMost(50), currency: "EUR" }, read_file: true });

test("what is delegated runs, what is not reaches the model as a tool error, and the loop goes on", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake(
    [
      ["pay", { amount: 5 }],
      ["pay", { amount: 500 }],
      ["drop_table", { name: "users" }],
    ],
    "done",
  );
  const result = await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  expect(result.text).toBe("done");
  expect(did).toEqual(["pay 5 EUR"]);
  expect(seen(model)).toEqual([
    "paid 5",
    expect.stringMatching(
      /^BehestDenied: pay: argument "amount" is outside what was delegated .*do not retry this one\.$/,
    ),
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
  const script = [
    [
      ["read_file", { path: "a" }],
      ["pay", { amount: 51 }],
    ],
    "done",
  ] as const;
  const streamed = fake(...script);
  expect(await streamText(guard({ model: streamed, tools, prompt: "x", stopWhen }, session)).text).toBe(
    "done",
  );
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
  const message =
    /^no_session: the model was called outside a session\. Wrap the call: session\.run\(.*guard\(settings, session\)/;
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
  const run = (session?: typeof alice) =>
    generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
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
    return [
      ["pay", { amount: 5 }, "0"],
      ["read_file", { path: "a" }, "1"],
    ];
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
  const session = await behest.as(
    "alice",
    grants(tools, { send: { to: ["a@x", "refined@x"], urgent: false } }),
  );
  const model = fake(
    [
      ["send", { to: "A@X" }],
      ["send", { to: "b@x" }],
      ["send", { to: "a@x", urgent: true }],
    ],
    "done",
  );
  await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  expect(seen(model)).toEqual([
    '{"to":"a@x","urgent":false} true',
    expect.stringContaining('"to"'),
    expect.stringContaining('"urgent"'),
  ]);

  const mended = fake(
    [
      ["send", "{not json"],
      ["send", { to: "evil@x" }],
    ],
    "done",
  );
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
  expect(seen(model)).toEqual([
    expect.stringContaining("BehestDenied: book: its parsed arguments are not JSON"),
  ]);
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

test("parallel loops in one session are told apart although they share their messages and number calls alike", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed, { run: "r" });
  const messages = [{ role: "user" as const, content: "x" }];
  for (const prepareStep of [undefined, () => ({ messages })]) {
    const { tools, did } = toolbox();
    const model = fake([["pay", { amount: 5 }, "0"]], "done");
    const settings = {
      model,
      tools,
      messages,
      stopWhen: isStepCount(1),
      ...(prepareStep && { prepareStep }),
    };
    const loop = () => generateText(guard(settings, session));
    await Promise.all([loop(), loop(), loop()]);
    expect(did).toEqual(["pay 5 EUR", "pay 5 EUR", "pay 5 EUR"]);
  }
});

test("an error of the tool itself reaches the model as it would without us", async () => {
  await using behest = await testBehest();
  const tools = {
    fail: tool({
      inputSchema: z.object({}),
      execute: async (): Promise<string> => Promise.reject(new RangeError("too far")),
    }),
    any: dynamicTool({ inputSchema: z.unknown(), execute: async (input) => input }),
  };
  const session = await behest.as("alice", { fail: {}, any: { a: { constraint_type: "wildcard" } } });
  const model = fake(
    [
      ["fail", {}],
      ["any", { a: [1] }],
    ],
    "done",
  );
  const plain = fake(
    [
      ["fail", {}],
      ["any", { a: [1] }],
    ],
    "done",
  );
  await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  await generateText({ model: plain, tools, prompt: "x", stopWhen });
  expect(seen(model)).toEqual(seen(plain));
  expect((await behest.records.list({ tool: "fail" }))[0]).toMatchObject({
    verdict: "permit",
    outcome: "failed",
  });
});
