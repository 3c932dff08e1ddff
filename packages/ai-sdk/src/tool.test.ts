import { type Tool, type ToolSet, dynamicTool, generateText, isStepCount, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { currentSession, withProfile } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { asked, fake, seen } from "../test/fake.ts";
import { guard, guardTools } from "./index.ts";

const stopWhen = isStepCount(5);
const none = z.object({});
const options = { toolCallId: "c", messages: [], context: {} };

test("a guarded tool keeps its prototype, hidden members, private fields and everything that is not its body", async () => {
  await using behest = await testBehest();
  class Counter {
    #n = 0;
    readonly inputSchema = none;
    readonly description = "counts";
    get title(): string {
      return "Counter";
    }
    async execute(): Promise<number> {
      return ++this.#n;
    }
  }
  const counter = Object.freeze(Object.defineProperty(new Counter(), "hidden", { value: 1 }));
  const ask = tool({ inputSchema: none, outputSchema: z.string() });
  const provided = {
    type: "provider",
    isProviderExecuted: true,
    id: "x.y",
    args: {},
    inputSchema: none,
  } as unknown as Tool;
  const given: ToolSet = { counter, ask, provided };
  const guarded = guardTools(given, await behest.as("alice", { counter: {} }));
  expect(guarded["counter"]).toBeInstanceOf(Counter);
  expect(guarded["counter"]).toMatchObject({ description: "counts", title: "Counter", hidden: 1 });
  expect(guarded["ask"]).toBe(ask);
  expect(guarded["provided"]).toBe(provided);
  expect(await guarded["counter"]!.execute!({}, options)).toBe(1);
  expect(Object.keys(given["counter"]!)).toEqual(["inputSchema", "description"]);
});

test("a dynamic tool stays dynamic, and a profile of the original tool counts", async () => {
  await using behest = await testBehest();
  const tools = {
    any: withProfile(
      dynamicTool({ inputSchema: z.object({ a: z.number() }), execute: async (input) => input }),
      { effect: "read", boundary: "inside" },
    ),
  };
  const session = await behest.as("alice", { any: { a: { constraint_type: "wildcard" } } }, { run: "r" });
  const model = fake([["any", { a: 1 }, "c0"]], "done");
  const { steps } = await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  expect(steps[0]!.dynamicToolCalls).toHaveLength(1);
  expect(await behest.records.list()).toMatchObject([{ tool: "any", outcome: "done" }]);
});

function ticks(log: string[], n = 3) {
  return tool({
    inputSchema: none,
    async *execute(_, { abortSignal }) {
      try {
        for (let i = 0; i < n; i++) {
          log.push(`${currentSession().principal} ${i} ${abortSignal!.aborted}`);
          yield i;
        }
      } finally {
        log.push("closed");
      }
    },
  });
}

test("a streaming tool gates first, hands on each value as it comes, and its last value is the result", async () => {
  await using behest = await testBehest();
  const log: string[] = [];
  const tools = { tick: ticks(log), no: ticks(log) };
  const session = await behest.as("alice", { tick: {} });
  const model = fake(
    [
      ["tick", {}],
      ["no", {}],
    ],
    "done",
  );
  const results = async (settings: { model: typeof model; tools: typeof tools }): Promise<unknown[]> => {
    const parts: unknown[] = [];
    for await (const part of streamText({ ...settings, prompt: "x", stopWhen }).stream)
      if (part.type === "tool-result" && part.toolName === "tick")
        parts.push([part.preliminary ?? false, part.output]);
    return parts;
  };
  const guarded = await results(guard({ model, tools }, session));
  expect(guarded).toEqual([
    [true, 0],
    [true, 1],
    [true, 2],
    [false, 2],
  ]);
  expect(log).toEqual(["alice 0 false", "alice 1 false", "alice 2 false", "closed"]);
  expect(seen(model)).toEqual(["2", expect.stringContaining("BehestDenied")]);
});

test("a streaming tool does not run ahead of whoever takes its values", async () => {
  await using behest = await testBehest();
  const log: string[] = [];
  const { tick } = guardTools({ tick: ticks(log) }, await behest.as("alice", { tick: {} }));
  const values = tick.execute({}, options) as AsyncGenerator<number>;
  expect(log).toEqual([]);
  expect(await values.next()).toEqual({ value: 0, done: false });
  await new Promise((resolve) => setImmediate(resolve));
  expect(log).toHaveLength(1);
  await values.return(undefined);
});

test("a function that returns an async iterable gives its last value", async () => {
  await using behest = await testBehest();
  const tools = {
    tick: tool({
      inputSchema: none,
      execute: () => ticks([]).execute({}, { ...options, abortSignal: new AbortController().signal }),
    }),
  };
  const session = await behest.as("alice", { tick: {} });
  expect(await guardTools(tools, session).tick.execute({}, options)).toBe(-1 + 3);
});

test("a streaming tool is closed when its consumer leaves, and recorded as aborted", async () => {
  await using behest = await testBehest();
  const log: string[] = [];
  const { tick } = guardTools({ tick: ticks(log) }, await behest.as("alice", { tick: {} }));
  for await (const value of tick.execute({}, options) as AsyncIterable<number>) if (value === 1) break;
  expect(log).toEqual(["alice 0 false", "alice 1 false", "closed"]);
  expect(await behest.records.list()).toMatchObject([{ outcome: "aborted" }]);
});

test("the signal is checked at each value", async () => {
  await using behest = await testBehest();
  const log: string[] = [];
  const stop = new AbortController();
  const { tick } = guardTools(
    { tick: ticks(log) },
    await behest.as("alice", { tick: {} }, { signal: stop.signal }),
  );
  const values: number[] = [];
  const pull = async (): Promise<void> => {
    for await (const value of tick.execute({}, options) as AsyncIterable<number>) {
      values.push(value);
      if (value === 1) stop.abort(new Error("that is enough"));
    }
  };
  await expect(pull()).rejects.toThrow("that is enough");
  expect(values).toEqual([0, 1]);
  expect(log.at(-1)).toBe("closed");
});

test("a generator belongs to the session it was made in, not to the one that pulls it", async () => {
  await using behest = await testBehest();
  const [alice, bob] = await Promise.all(["alice", "bob"].map((name) => behest.as(name, { tick: {} })));
  const log: string[] = [];
  const { tick } = guardTools({ tick: ticks(log, 1) });
  const values = alice!.run(() => ({ stream: tick.execute({}, options) as AsyncIterable<number> }));
  await bob!.run(async () => {
    for await (const _ of values.stream);
  });
  expect(log).toEqual(["alice 0 false", "closed"]);
  expect((await behest.records.list()).map(({ principal }) => principal)).toEqual(["alice"]);
});

test("a tool that is deaf to the signal is left behind, and the run stops", async () => {
  await using behest = await testBehest();
  const stop = new AbortController();
  const tools = {
    deaf: tool({
      inputSchema: none,
      execute: () => {
        setImmediate(() => stop.abort(new Error("revoked")));
        return new Promise<string>(() => {});
      },
    }),
  };
  const session = await behest.as("alice", { deaf: {} }, { signal: stop.signal });
  const model = fake([["deaf", {}]], "done");
  await expect(generateText(guard({ model, tools, prompt: "x", stopWhen }, session))).rejects.toThrow(
    "the session has ended",
  );
  expect(asked(model)).toBe(1);
  expect(await behest.records.list()).toMatchObject([{ tool: "deaf", outcome: "unknown" }]);
});
