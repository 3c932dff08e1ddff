import { testBehest } from "@behest/core/testing";
import { createDeepAgent, createFilesystemMiddleware } from "deepagents";
import { AIMessage, createAgent, createMiddleware, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, scripted } from "../test/support.ts";
import { behestMiddleware, guardDeepAgent } from "./index.ts";
import { any, delegating, lookUp, task, words } from "../test/delegating.ts";

test("the general-purpose sub-agent has the tools and middleware it has in plain deepagents", async () => {
  await using behest = await testBehest();
  const shown = async (guarded: boolean) => {
    const tools: string[] = [];
    const model = delegating("general-purpose", { name: "echo", args: {} });
    const bind = model.bindTools.bind(model);
    model.bindTools = (offered) => (
      tools.push(offered.map(({ name }) => name as string).join()),
      bind(offered)
    );
    // One that replaces deepagents' own, and one that is new: only the first is handed on.
    const middleware = [
      createFilesystemMiddleware({ tools: ["read_file"] }),
      createMiddleware({ name: "m", tools: [other] }),
    ];
    const params = { model, tools: [echo], middleware };
    const agent = createDeepAgent(guarded ? guardDeepAgent(params) : params);
    const names = ["echo", "read_file", "write_file", "other", "task"];
    const session = await behest.as("alice", Object.fromEntries(names.map((name) => [name, any])));
    const run = () => agent.invoke(ask("go"));
    await (guarded ? session.run(run) : run());
    return tools;
  };
  const plain = await shown(false);
  expect(plain).toHaveLength(4);
  expect(await shown(true)).toEqual(plain);
});
const echo = tool(async () => "echo", { name: "echo", description: "d", schema: z.object({}) });
const other = tool(async () => "", { name: "other", description: "d", schema: z.object({}) });

test("a compiled sub-agent must be guarded where it is built", async () => {
  await using behest = await testBehest();
  const model = scripted(calling({ name: "look_up", args: { word: "dog" } }), new AIMessage("looked"));
  const compiled = (middleware: readonly [] | ReturnType<typeof behestMiddleware>) => ({
    name: "reader",
    description: "Reads",
    runnable: createAgent({ model, tools: [lookUp], middleware }).withConfig({ tags: ["reader"] }),
  });
  expect(() => guardDeepAgent({ model, subagents: [compiled([])] })).toThrow(
    expect.objectContaining({ code: "tool_unguarded", message: expect.stringContaining('"reader"') }),
  );
  const parent = scripted(calling(task("reader")), new AIMessage("done"));
  const agent = createDeepAgent(guardDeepAgent({ model: parent, subagents: [compiled(behestMiddleware())] }));
  const session = await behest.as("alice", words("cat"));
  await session.run(() => agent.invoke(ask("go")));
  expect(await behest.records.list()).toMatchObject([{ tool: "look_up", verdict: "deny" }]);
});

test("no tool can pass for the one that starts sub-agents", () => {
  const posing = tool(async () => "", { name: "task", description: "d", schema: z.object({}) });
  const middleware = [createMiddleware({ name: "m", tools: [posing] })];
  const spec = { name: "s", description: "d", systemPrompt: "p" };
  const refused = expect.objectContaining({ code: "tool_unsupported" });
  expect(() => guardDeepAgent({ middleware })).toThrow(refused);
  expect(() => guardDeepAgent({ subagents: [{ ...spec, tools: [posing] }] })).toThrow(refused);
  expect(() => guardDeepAgent({ subagents: [{ ...spec, middleware }] })).toThrow(refused);
});

test("the parameters keep their type and are not changed", () => {
  const params = {
    model: scripted(),
    tools: [lookUp],
    middleware: [createMiddleware({ name: "m" })] as const,
  };
  const guarded: typeof params = guardDeepAgent(params);
  expect(params.middleware).toHaveLength(1);
  expect(guarded.middleware.map(({ name }) => name)).toEqual(["behest", "m", "behest_seal"]);
});

test("a tool's exception ends the run, as in plain deepagents", async () => {
  await using behest = await testBehest();
  const broken = tool(async () => Promise.reject(new Error("disk full")), {
    name: "broken",
    description: "d",
    schema: z.object({}),
  });
  const params = () => ({
    model: scripted(calling({ name: "broken", args: {} }), new AIMessage("done")),
    tools: [broken],
  });
  await expect(createDeepAgent(params()).invoke(ask("go"))).rejects.toThrow("disk full");
  const session = await behest.as("alice", { broken: any });
  await expect(
    session.run(() => createDeepAgent(guardDeepAgent(params())).invoke(ask("go"))),
  ).rejects.toThrow("disk full");
});
