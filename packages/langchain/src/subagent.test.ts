import { type AatTools, grants, is } from "@behest/delegation";
import { currentSession } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { AIMessage, type BaseMessage, createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, scripted, told } from "../test/support.ts";
import { behestMiddleware, guardTools, subagentTool } from "./index.ts";

const readFile = tool(async ({ path }) => `${currentSession().agent} read ${path}`, {
  name: "read_file",
  description: "Reads a file",
  schema: z.object({ path: z.string() }),
});
const under = (folder: string): AatTools => grants([readFile], { read_file: { path: is.under(folder) } });
interface Invocable {
  invoke(input: ReturnType<typeof ask>): Promise<{ messages: BaseMessage[] }>;
}
const reading = (...paths: string[]) =>
  calling(...paths.map((path) => ({ name: "read_file", args: { path } })));

test("three deep, each narrower, with a refusal at each level", async () => {
  await using behest = await testBehest();
  const levels: string[][] = [];
  // Each level reads a file of its own folder and one of its parent's, then starts the next level.
  const agentAt = (depth: number, folder: string): Invocable => {
    const parent = folder.split("/").slice(0, -1).join("/") || "/";
    const below = `${folder}/${depth}`;
    const model = scripted(
      reading(`${folder}/own`, `${parent}/outside`),
      ...(depth < 3 ? [calling({ name: "explore", args: { folder: below } })] : []),
      new AIMessage(`level ${depth} done`),
    );
    const explore = subagentTool({
      name: "explore",
      description: "Explores a folder",
      schema: z.object({ folder: z.string() }),
      delegate: ({ folder: at }) => ({ agent: `level-${depth + 1}`, tools: under(at), expiresIn: "5m" }),
      run: async ({ folder: at }) => {
        const { messages } = await agentAt(depth + 1, at).invoke(ask("explore"));
        levels[depth + 1] = told(messages);
        return messages.at(-1)!.text;
      },
    });
    return createAgent({ model, tools: [readFile, explore], middleware: behestMiddleware() });
  };
  const session = await behest.as("alice", under("/data"), { agent: "level-0" });
  const { messages } = await session.run(() => agentAt(0, "/data").invoke(ask("explore")));
  levels[0] = told(messages);

  expect(levels.map(([own, outside]) => [own, outside?.slice(0, 19)])).toEqual([
    ["success: level-0 read /data/own", "error: BehestDenied"],
    ["success: level-1 read /data/0/own", "error: BehestDenied"],
    ["success: level-2 read /data/0/1/own", "error: BehestDenied"],
    ["success: level-3 read /data/0/1/2/own", "error: BehestDenied"],
  ]);
  expect(levels[0]?.[2]).toBe("success: level 1 done");
  const verdicts = (await behest.records.list()).map(({ agent, verdict }) => `${agent} ${verdict}`);
  expect(verdicts.toSorted()).toEqual([0, 1, 2, 3].flatMap((n) => [`level-${n} deny`, `level-${n} permit`]));
});

const wider = (request: () => AatTools) => {
  let ran = false;
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({ folder: z.string() }),
    delegate: () => ({ tools: request() }),
    run: async () => ((ran = true), "ran"),
  });
  return { spawn, ran: () => ran };
};

test("a sub-agent cannot be given more than its parent has: the model is told, nothing runs", async () => {
  await using behest = await testBehest();
  const { spawn, ran } = wider(() => under("/"));
  const session = await behest.as("alice", under("/data"));
  const model = scripted(calling({ name: "spawn", args: { folder: "/" } }), new AIMessage("done"));
  const agent = createAgent({ model, tools: [spawn], middleware: behestMiddleware() });

  const { messages } = await session.run(() => agent.invoke(ask("go")));

  expect(told(messages)[0]).toMatch(/^error: BehestDenied: .*read_file.*path/);
  expect(messages.at(-1)?.text).toBe("done");
  expect(ran()).toBe(false);
  expect(await behest.records.list()).toMatchObject([
    { tool: "spawn", verdict: "deny", code: "wider_than_parent" },
  ]);
});

test("the same without an agent: in a guarded tool node, or by hand", async () => {
  await using behest = await testBehest();
  const { spawn, ran } = wider(() => under("/"));
  const session = await behest.as("alice", under("/data"));
  await session.run(async () => {
    await expect(spawn.invoke({ folder: "/" })).rejects.toMatchObject({ code: "wider_than_parent" });
    expect(guardTools([spawn])[0]).toBe(spawn);
  });
  await expect(spawn.invoke({ folder: "/" })).rejects.toMatchObject({ code: "no_session" });
  expect(ran()).toBe(false);
});

test("what is delegated is computed from the parsed, frozen arguments, which the run gets too", async () => {
  await using behest = await testBehest();
  const seen: unknown[] = [];
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({
      folder: z.string().transform((folder) => `/data/${folder}`),
      depth: z.number().default(1),
    }),
    delegate: (input) => (seen.push(input), { tools: under(input.folder) }),
    run: async (input, session) => {
      seen.push(input);
      expect(currentSession()).toBe(session);
      return "ran";
    },
  });
  const session = await behest.as("alice", under("/data"));
  await session.run(() => spawn.invoke({ folder: "a" }));
  expect(seen).toEqual([
    { folder: "/data/a", depth: 1 },
    { folder: "/data/a", depth: 1 },
  ]);
  expect(seen[0]).toBe(seen[1]);
  expect(Object.isFrozen(seen[0])).toBe(true);
});

test("arguments that are not JSON start nothing", async () => {
  await using behest = await testBehest();
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({ at: z.string().transform((text) => new Date(text)) }),
    delegate: () => ({ tools: under("/data") }),
    run: async () => "ran",
  });
  const session = await behest.as("alice", under("/data"));
  await expect(session.run(() => spawn.invoke({ at: "2026-01-01" }))).rejects.toMatchObject({
    code: "args_not_json",
  });
  expect(await behest.records.list()).toMatchObject([{ tool: "spawn", code: "args_not_json" }]);
});
