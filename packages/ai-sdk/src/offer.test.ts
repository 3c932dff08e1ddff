import { type Tool, ToolLoopAgent, type ToolSet, generateText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { memoryStore, readStore, withProfile } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { asked, fake, toolbox } from "../test/fake.ts";
import { guard } from "./index.ts";

const wild = { constraint_type: "wildcard" };
const none = z.object({});
const webSearch = {
  type: "provider",
  isProviderExecuted: true,
  id: "x.web_search",
  args: { deep: true },
  inputSchema: none,
} as unknown as Tool;
const bash = {
  type: "provider",
  isProviderExecuted: false,
  id: "x.bash",
  args: { v: 1 },
  inputSchema: none,
  execute: async () => "ran",
} as unknown as Tool;

test("only what the delegation names is offered, provider-executed tools included, and nothing of ours", async () => {
  await using behest = await testBehest();
  const { tools } = toolbox();
  const all: ToolSet = {
    ...tools,
    web_search: webSearch,
    web_fetch: webSearch,
    bash,
    ask: tool({ inputSchema: none, outputSchema: z.string() }),
    hinted: tool({ inputSchema: none, execute: async () => 1, providerOptions: { x: { y: 1 } } }),
  };
  const model = fake("done");
  const plain = fake("done");
  await generateText({ model: plain, tools: all, prompt: "x" });
  const everything = Object.fromEntries(Object.keys(all).map((name) => [name, {}]));
  await generateText(guard({ model, tools: all, prompt: "x" }, await behest.as("alice", everything)));
  expect(model.doGenerateCalls[0]!.tools).toEqual(plain.doGenerateCalls[0]!.tools);
  expect(Object.getOwnPropertySymbols(model.doGenerateCalls[0]!.tools![5]!)).toEqual([]);
  await generateText(
    guard(
      { model, tools: all, prompt: "x" },
      await behest.as("bob", { web_search: {}, bash: {}, pay: { amount: wild } }),
    ),
  );
  expect(model.doGenerateCalls[1]!.tools!.map(({ name }) => name)).toEqual(["pay", "web_search", "bash"]);
  await generateText(guard({ model, tools: all, prompt: "x" }, await behest.as("eve", {})));
  expect(model.doGenerateCalls[2]!.tools).toBeUndefined();
});

test("how tools were met is reported, and whether their profile is declared", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const { tools } = toolbox();
  const pay = withProfile(tools.pay, { effect: "irreversible", boundary: "outside" });
  const all = {
    pay,
    read_file: tools.read_file,
    web_search: webSearch,
    ask: tool({ inputSchema: none, outputSchema: z.string() }),
  };
  const agent = new ToolLoopAgent(guard({ model: fake("done"), tools: all }));
  const session = await behest.as("alice", {});
  await session.run(() => agent.generate({ prompt: "x" }));
  const seen = await readStore(store).coverage();
  expect(seen.map(({ tool: name, kind, declared }) => `${name} ${kind} ${declared}`).toSorted()).toEqual([
    "ask unwrapped false",
    "pay wrapped true",
    "read_file wrapped false",
    "web_search provider false",
  ]);
});

test("a toolChoice that demands a tool which is not delegated is refused", async () => {
  await using behest = await testBehest();
  const model = fake("done");
  const { tools } = toolbox();
  const settings = guard(
    { model, tools, prompt: "x", toolChoice: { type: "tool", toolName: "pay" } },
    await behest.as("alice", {}),
  );
  await expect(generateText(settings)).rejects.toMatchObject({
    code: "tool_not_granted",
    name: "BehestDenied",
  });
  expect(asked(model)).toBe(0);
});
