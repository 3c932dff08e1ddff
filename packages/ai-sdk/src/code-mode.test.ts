import {
  type Tool,
  type ToolSet,
  experimental_toolCaller,
  generateText,
  isStepCount,
  tool,
  toolSearch,
} from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Session, memoryStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { entriesOf, fake, seen, toolbox } from "../test/fake.ts";
import { guard } from "./index.ts";

const stopWhen = isStepCount(5);
const wild = { constraint_type: "wildcard" };

/** What a code mode does, without its sandbox: a program is a list of calls. */
function codeMode(announce = false) {
  const program = z.object({ calls: z.array(z.tuple([z.string(), z.unknown()])) });
  return experimental_toolCaller(
    tool({
      description: "unbound",
      inputSchema: program,
      execute: (): unknown => Promise.reject(new Error("unbound")),
    }),
    {
      type: "local",
      ...(announce && {
        prepareModelMessage: (bound: ToolSet) => `may call ${Object.keys(bound).join(", ")}`,
      }),
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
  const granted = {
    code: { calls: wild },
    pay: { amount: { constraint_type: "range", max: 50 }, currency: wild },
    read_file: { path: wild },
  };
  const session = await behest.as("alice", granted, { run: "r" });
  const calls = [
    ["pay", { amount: 5, currency: "EUR" }],
    ["pay", { amount: 5, currency: "EUR" }],
    ["pay", { amount: 51, currency: "EUR" }],
    ["drop_table", { name: "t" }],
    ["read_file", { path: "a" }],
  ];
  const model = fake([["code", { calls }, "c0"]], "done");
  const callers = {
    pay: ["code"],
    drop_table: ["code"],
    read_file: ["code", "AI_SDK_DIRECT_TOOL_CALL"],
  } as const;
  const run = (as: Session) =>
    generateText(guard({ model, tools: all, prompt: "x", stopWhen, experimental_toolCallers: callers }, as));
  const { steps } = await run(session);
  const outputs = [
    "paid 5",
    "paid 5",
    expect.stringContaining('"amount"'),
    expect.stringContaining("not delegated"),
    "content of a",
  ];
  expect(steps[0]!.toolResults[0]!.output).toEqual(outputs);
  expect(did).toEqual(["pay 5 EUR", "pay 5 EUR", "read a"]);
  expect(model.doGenerateCalls[0]!.tools).toMatchObject([
    { name: "read_file" },
    { name: "code", description: "may call pay, read_file" },
  ]);
  const records = await behest.records.list();
  expect(new Set(records.map(({ action }) => action)).size).toBe(6);
  expect(records.map(({ tool: name, verdict }) => `${name} ${verdict}`).toSorted()).toEqual([
    "code permit",
    "drop_table deny",
    "pay deny",
    "pay permit",
    "pay permit",
    "read_file permit",
  ]);
});

test("code mode that announces its tools in the conversation: only granted ones, and calls know their turn", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const { tools, did } = toolbox();
  const all = { pay: tools.pay, drop_table: tools.drop_table, code: codeMode(true) };
  const session = await behest.as("alice", { code: { calls: wild }, pay: { amount: wild, currency: wild } });
  const model = fake([["code", { calls: [["pay", { amount: 1, currency: "EUR" }]] }, "0"]], "done");
  const callers = { pay: ["code"], drop_table: ["code"] } as const;
  await generateText(
    guard({ model, tools: all, prompt: "x", stopWhen, experimental_toolCallers: callers }, session),
  );
  expect(did).toEqual(["pay 1 EUR"]);
  expect(model.doGenerateCalls[0]!.prompt.at(-1)!.content).toEqual([{ type: "text", text: "may call pay" }]);
  expect(model.doGenerateCalls[0]!.tools).toMatchObject([{ name: "code", description: "unbound" }]);
  const actions = (await entriesOf(store)).filter((entry) => entry.type === "action");
  expect(actions.map(({ links }) => links.interaction !== undefined)).toEqual([true, true]);
});

test("code mode: the caller itself needs a grant", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const session = await behest.as("alice", {
    pay: { amount: { constraint_type: "wildcard" }, currency: { constraint_type: "wildcard" } },
  });
  const model = fake([["code", { calls: [["pay", { amount: 5, currency: "EUR" }]] }]], "done");
  await generateText(
    guard(
      {
        model,
        tools: { ...tools, code: codeMode() },
        prompt: "x",
        stopWhen,
        experimental_toolCallers: { pay: ["code"] },
      },
      session,
    ),
  );
  expect(seen(model)).toEqual([expect.stringContaining("code: this tool was not delegated")]);
  expect(did).toEqual([]);
});

test("code mode: a tool that was put beside the guarded ones, out of the model's sight, is held to the delegation", async () => {
  await using behest = await testBehest();
  const { tools, did } = toolbox();
  const session = await behest.as("alice", { code: { calls: wild } });
  const model = fake([["code", { calls: [["drop_table", { name: "t" }]] }]], "done");
  const settings = guard({ model, tools: { code: codeMode() }, prompt: "x", stopWhen }, session);
  const all = { ...settings.tools, drop_table: tools.drop_table };
  await generateText({ ...settings, tools: all, experimental_toolCallers: { drop_table: ["code"] } });
  expect(seen(model)).toEqual([expect.stringContaining("drop_table: this tool was not delegated")]);
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
  const session = await behest.as("alice", {
    find: { query: { constraint_type: "exact", value: "pay" } },
    pay: { amount: wild, currency: wild },
  });
  const model = fake(
    [
      ["find", { query: "customers.csv" }],
      ["find", { query: "pay" }],
    ],
    [["pay", { amount: 1 }]],
    "done",
  );
  await generateText(guard(guard({ model, tools: all, prompt: "x", stopWhen }), session));
  expect(queries).toEqual(["pay"]);
  expect(did).toEqual(["pay 1 EUR"]);
  expect(model.doGenerateCalls.map((call) => call.tools!.map(({ name }) => name))).toEqual([
    ["find"],
    ["pay", "find"],
    ["pay", "find"],
  ]);
});
