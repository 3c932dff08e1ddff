import { generateText, isStepCount, streamText } from "ai";
import { MockLanguageModelV3, MockLanguageModelV4 } from "ai/test";
import { expect, test } from "vitest";
import { BehestError, memoryStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { answer, asked, entriesOf, fake, toolbox } from "../test/fake.ts";
import { guard } from "./index.ts";

const stopWhen = isStepCount(5);
const wild = { constraint_type: "wildcard" };

test("what the model is given and what it answers pass through unchanged, streamed or not", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", {});
  const result = {
    ...answer("unused"),
    content: [
      { type: "reasoning", text: "because", providerMetadata: { x: { signature: "s" } } },
      { type: "text", text: "hello", citations: [] },
      { type: "file", mediaType: "image/png", data: { type: "data", data: new Uint8Array([1, 2]) } },
      { type: "source", sourceType: "url", id: "s1", url: "https://x.test" },
    ],
    response: { id: "r1", timestamp: new Date(5), modelId: "m-2026", headers: { a: "b" } },
    providerMetadata: { x: { y: 1 } },
  } satisfies Awaited<ReturnType<MockLanguageModelV4["doGenerate"]>>;
  const model = new MockLanguageModelV4({ doGenerate: async () => result });
  const settings = { model, prompt: "x", instructions: "s", temperature: 0.5, seed: 3, headers: { h: "1" } };
  const guarded = await generateText(guard(settings, session));
  const plain = await generateText(settings);
  expect({ ...guarded.steps[0]!, callId: "", performance: undefined }).toEqual({
    ...plain.steps[0]!,
    callId: "",
    performance: undefined,
  });
  const [ours, theirs] = model.doGenerateCalls;
  expect({ ...ours, abortSignal: undefined }).toEqual({ ...theirs, abortSignal: undefined });

  const chunks = fake("streamed");
  const parts = async (s: { model: typeof chunks; prompt: string }): Promise<string[]> => {
    const types: string[] = [];
    for await (const part of streamText(s).stream)
      types.push(part.type === "text-delta" ? part.text : part.type);
    return types;
  };
  expect(await parts(guard({ model: chunks, prompt: "x" }, session))).toEqual(
    await parts({ model: chunks, prompt: "x" }),
  );
});

test("chunks are not held back until the answer is complete", async () => {
  await using behest = await testBehest();
  const { promise: more, resolve: goOn } = Promise.withResolvers<void>();
  const model = new MockLanguageModelV4({
    doStream: async () => ({
      stream: new ReadableStream({
        async start(controller) {
          controller.enqueue({ type: "stream-start", warnings: [] });
          controller.enqueue({ type: "text-start", id: "1" });
          controller.enqueue({ type: "text-delta", id: "1", delta: "first" });
          await more;
          controller.enqueue({ type: "text-end", id: "1" });
          const { finishReason, usage } = answer("x");
          controller.enqueue({ type: "finish", finishReason, usage });
          controller.close();
        },
      }),
    }),
  });
  const result = streamText(guard({ model, prompt: "x" }, await behest.as("alice", {})));
  const texts: string[] = [];
  for await (const text of result.textStream) {
    texts.push(text);
    goOn();
  }
  expect(texts).toEqual(["first"]);
});

test("each turn is recorded: who answered, what it was offered, what it chose", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const session = await behest.as("alice", { pay: { amount: wild, currency: wild } });
  const { tools } = toolbox();
  const model = fake(
    [
      ["pay", { amount: 1 }, "c0"],
      ["drop_table", { name: "t" }, "c1"],
    ],
    "done",
  );
  await generateText(guard({ model, tools, prompt: "the secret prompt", stopWhen }, session));
  const entries = await entriesOf(store);
  const turns = entries.filter((entry) => entry.type === "interaction");
  expect(turns).toMatchObject([
    { model: model.modelId, calls: [{ tool: "pay" }, { tool: "drop_table" }] },
    { model: model.modelId, calls: [] },
  ]);
  const actions = entries.filter((entry) => entry.type === "action");
  expect(actions.map(({ action }) => action).toSorted()).toEqual(
    turns[0]!.calls.map(({ action }) => action).toSorted(),
  );
  expect(actions.every(({ links }) => links.interaction !== undefined)).toBe(true);
  expect(JSON.stringify(entries)).not.toContain("secret prompt");
});

test("the end of a session stops the run between two steps, and a model that is deaf to its signal", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const stop = new AbortController();
  const session = await behest.as(
    "alice",
    { pay: { amount: wild, currency: wild } },
    { signal: stop.signal },
  );
  const model = fake([["pay", { amount: 1 }]], "done");
  const ending = guard(
    { model, tools, prompt: "x", stopWhen, onStepEnd: () => stop.abort(new Error("logged out")) },
    session,
  );
  await expect(generateText(ending)).rejects.toThrow("the session has ended");
  expect(asked(model)).toBe(1);
  expect(did).toEqual(["pay 1 EUR"]);

  for (const mode of ["doGenerate", "doStream"] as const) {
    const late = new AbortController();
    const deaf = new MockLanguageModelV4({
      [mode]: () => {
        setImmediate(() => late.abort(new Error("revoked")));
        return new Promise(() => {});
      },
    });
    const other = await behest.as("alice", {}, { signal: late.signal });
    const settings = guard({ model: deaf, prompt: "x", maxRetries: 0, onError: () => {} }, other);
    const run =
      mode === "doGenerate"
        ? generateText(settings)
        : streamText(settings).consumeStream({
            onError: (error) => {
              throw error;
            },
          });
    if (mode === "doGenerate") await expect(run).rejects.toThrow("revoked");
    else await run;
  }
});

test("a stream that is under way breaks off when the session ends", async () => {
  await using behest = await testBehest();
  const stop = new AbortController();
  let cancelled: unknown;
  const model = new MockLanguageModelV4({
    doStream: async () => ({
      stream: new ReadableStream({
        start(controller) {
          controller.enqueue({ type: "text-start", id: "1" });
          controller.enqueue({ type: "text-delta", id: "1", delta: "first" });
        },
        cancel: (reason) => void (cancelled = reason),
      }),
    }),
  });
  const session = await behest.as("alice", {}, { signal: stop.signal });
  const result = streamText(guard({ model, prompt: "x", onError: () => {} }, session));
  const reason = new BehestError("session_ended", "revoked");
  const read = async (): Promise<void> => {
    for await (const part of result.stream) if (part.type === "text-delta") stop.abort(reason);
  };
  await expect(read()).rejects.toBe(reason);
  expect(cancelled).toBe(reason);
});

test("a turn that cannot be recorded runs no tool", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const session = await behest.as("alice", { pay: { amount: wild, currency: wild } });
  let deep: unknown = 1;
  for (let i = 0; i < 200; i++) deep = [deep];
  const unrecordable = {
    ...answer([["pay", { amount: 1 }]]),
    providerMetadata: { x: { deep } },
  } as ReturnType<typeof answer>;
  const model = new MockLanguageModelV4({
    doGenerate: async () => unrecordable,
    doStream: async () => {
      const [call] = unrecordable.content;
      const { finishReason, usage, providerMetadata } = unrecordable;
      return {
        stream: ReadableStream.from([
          call!,
          { type: "finish", finishReason, usage, providerMetadata },
        ] as never),
      };
    },
  });
  await expect(generateText(guard({ model, tools, prompt: "x" }, session))).rejects.toThrow();
  await streamText(guard({ model, tools, prompt: "x", onError: () => {} }, session)).consumeStream();
  expect(did).toEqual([]);
});

test("an answer is given again to a run that is taken up again, unless it was an error", async () => {
  await using behest = await testBehest();
  const { tools } = toolbox();
  for (const [unified, times] of [
    ["stop", 1],
    ["error", 2],
  ] as const) {
    const model = new MockLanguageModelV4({
      doGenerate: { ...answer("answer"), finishReason: { unified, raw: unified } },
    });
    for (let i = 0; i < 2; i++) {
      const session = await behest.as("alice", {}, { run: unified });
      const failing = session.run(async () => {
        const { text } = await generateText(guard({ model, tools, prompt: "x" }));
        throw new Error(text);
      });
      await expect(failing).rejects.toThrow("answer");
    }
    expect(asked(model)).toBe(times);
  }
});

test("a run that has ended is not taken up again: to regenerate is to ask again", async () => {
  await using behest = await testBehest();
  const model = new MockLanguageModelV4({ doGenerate: answer("answer") });
  for (let i = 0; i < 2; i++) {
    const session = await behest.as("alice", {}, { run: "chat" });
    await generateText(guard({ model, prompt: "x" }, session));
    await behest.records.list();
  }
  expect(asked(model)).toBe(2);
});

test("models of an older specification are asked as the SDK asks them", async () => {
  await using behest = await testBehest();
  const model = new MockLanguageModelV3({
    doGenerate: { ...answer("old"), content: [{ type: "text", text: "old" }] } as never,
  });
  expect((await generateText(guard({ model, prompt: "x" }, await behest.as("alice", {})))).text).toBe("old");
});

test("a prompt that repeats a message with a lone surrogate, bytes and a URL can be journalled", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", {}, { run: "r" });
  const model = new MockLanguageModelV4({ doGenerate: answer("done"), supportedUrls: { "*/*": [/.*/] } });
  const content = [
    { type: "text", text: "\ud800" },
    { type: "file", mediaType: "image/png", data: new Uint8Array([1]) },
    { type: "file", mediaType: "image/png", data: new URL("https://x.test/a.png") },
  ] as const;
  const { text } = await generateText(
    guard({ model, messages: [{ role: "user", content: [...content] }] }, session),
  );
  expect(text).toBe("done");
});
