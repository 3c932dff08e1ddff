import { type Tool, type ToolSet, dynamicTool, experimental_toolCaller, generateText, isStepCount, streamText, tool, toolSearch } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Session, currentSession, withProfile } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { asked, fake, seen, toolbox } from "./fake.ts";
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
  const provided = { type: "provider", isProviderExecuted: true, id: "x.y", args: {}, inputSchema: none } as unknown as Tool;
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
    any: withProfile(dynamicTool({ inputSchema: z.object({ a: z.number() }), execute: async (input) => input }), { effect: "read", boundary: "inside" }),
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
  const model = fake([["tick", {}], ["no", {}]], "done");
  const results = async (settings: { model: typeof model; tools: typeof tools }): Promise<unknown[]> => {
    const parts: unknown[] = [];
    for await (const part of streamText({ ...settings, prompt: "x", stopWhen }).stream)
      if (part.type === "tool-result" && part.toolName === "tick") parts.push([part.preliminary ?? false, part.output]);
    return parts;
  };
  const guarded = await results(guard({ model, tools }, session));
  expect(guarded).toEqual([[true, 0], [true, 1], [true, 2], [false, 2]]);
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
  const tools = { tick: tool({ inputSchema: none, execute: () => ticks([]).execute({}, { ...options, abortSignal: new AbortController().signal }) }) };
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
  const { tick } = guardTools({ tick: ticks(log) }, await behest.as("alice", { tick: {} }, { signal: stop.signal }));
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
  await expect(generateText(guard({ model, tools, prompt: "x", stopWhen }, session))).rejects.toThrow("the session has ended");
  expect(asked(model)).toBe(1);
  expect(await behest.records.list()).toMatchObject([{ tool: "deaf", outcome: "unknown" }]);
});

/** What a code mode does, without its sandbox: a program is a list of calls. */
function codeMode() {
  const program = z.object({ calls: z.array(z.tuple([z.string(), z.unknown()])) });
  return experimental_toolCaller(
    tool({ description: "unbound", inputSchema: program, execute: (): unknown => Promise.reject(new Error("unbound")) }),
    {
      type: "local",
      bind: (bound) =>
        tool({
          description: `may call ${Object.keys(bound).join(", ")}`,
          inputSchema: program,
          execute: async ({ calls }, about) =>
            Promise.all(
              calls.map(async ([name, input]) => {
                try {
                  return await bound[name]!.execute!(input, about);
                } catch (error) {
                  return String(error);
                }
              }),
            ),
        }) as Tool,
    },
  );
}

test("code mode: nested calls are enforced one by one, told apart, and only granted tools are described", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const all = { ...tools, code: codeMode() };
  const wild = { constraint_type: "wildcard" };
  const granted = { code: { calls: wild }, pay: { amount: { constraint_type: "range", max: 50 }, currency: wild }, read_file: { path: wild } };
  const session = await behest.as("alice", granted, { run: "r" });
  const calls = [["pay", { amount: 5, currency: "EUR" }], ["pay", { amount: 5, currency: "EUR" }], ["pay", { amount: 51, currency: "EUR" }], ["drop_table", { name: "t" }], ["read_file", { path: "a" }]];
  const model = fake([["code", { calls }, "c0"]], "done");
  const callers = { pay: ["code"], drop_table: ["code"], read_file: ["code", "AI_SDK_DIRECT_TOOL_CALL"] } as const;
  const run = (as: Session) =>
    generateText(guard({ model, tools: all, prompt: "x", stopWhen, experimental_toolCallers: callers }, as));
  const { steps } = await run(session);
  const outputs = ["paid 5", "paid 5", expect.stringContaining('"amount"'), expect.stringContaining("not delegated"), "content of a"];
  expect(steps[0]!.toolResults[0]!.output).toEqual(outputs);
  expect(did).toEqual(["pay 5 EUR", "pay 5 EUR", "read a"]);
  expect(model.doGenerateCalls[0]!.tools).toMatchObject([{ name: "read_file" }, { name: "code", description: "may call pay, read_file" }]);
  const records = await behest.records.list();
  expect(new Set(records.map(({ action }) => action)).size).toBe(6);
  expect(records.map(({ tool: name, verdict }) => `${name} ${verdict}`).toSorted()).toEqual(
    ["code permit", "drop_table deny", "pay deny", "pay permit", "pay permit", "read_file permit"],
  );
});

test("code mode: the caller itself needs a grant", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const session = await behest.as("alice", { pay: { amount: { constraint_type: "wildcard" }, currency: { constraint_type: "wildcard" } } });
  const model = fake([["code", { calls: [["pay", { amount: 5, currency: "EUR" }]] }]], "done");
  await generateText(guard({ model, tools: { ...tools, code: codeMode() }, prompt: "x", stopWhen, experimental_toolCallers: { pay: ["code"] } }, session));
  expect(seen(model)).toEqual([expect.stringContaining("code: this tool was not delegated")]);
  expect(did).toEqual([]);
});

test("the search function of a toolSearch is a body too", async () => {
  await using behest = await testBehest();
  const queries: string[] = [];
  const { tools, did } = toolbox();
  const search = ({ query }: { query: string }): string[] => {
    queries.push(query);
    return ["pay"];
  };
  const all = { ...tools, pay: { ...tools.pay, deferLoading: true }, find: toolSearch({ search }) };
  const wild = { constraint_type: "wildcard" };
  const session = await behest.as("alice", { find: { query: { constraint_type: "exact", value: "pay" } }, pay: { amount: wild, currency: wild } });
  const model = fake([["find", { query: "customers.csv" }], ["find", { query: "pay" }]], [["pay", { amount: 1 }]], "done");
  await generateText(guard(guard({ model, tools: all, prompt: "x", stopWhen }), session));
  expect(queries).toEqual(["pay"]);
  expect(did).toEqual(["pay 1 EUR"]);
  expect(model.doGenerateCalls.map((call) => call.tools!.map(({ name }) => name))).toEqual([["find"], ["pay", "find"], ["pay", "find"]]);
});
