import { signCut } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { createDeepAgent } from "deepagents";
import { AIMessage, type BaseMessage, createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { any, isChild, task } from "../test/delegating.ts";
import { ask, calling, deciding, scripted, told } from "../test/support.ts";
import { behestMiddleware, guardDeepAgent, subagentTool } from "./index.ts";

const cut = async (behest: TestBehest, target: { agent: string } | { principal: string }): Promise<void> =>
  behest.revoke(await signCut(target, { reason: "test" }, behest.revoker));

/** A tool in whose body somebody revokes. `deaf`: it does not listen to its signal. */
function revoking(behest: TestBehest, target: Parameters<typeof cut>[1], deaf = false) {
  const told: string[] = [];
  const work = tool(
    async (_, { signal }: { signal?: AbortSignal }) => {
      await cut(behest, target);
      if (deaf) return new Promise<string>(() => {});
      told.push((signal!.reason as { code: string }).code);
      throw signal!.reason;
    },
    { name: "work", description: "Works", schema: z.object({}) },
  );
  return { work, told };
}

for (const version of ["v1", "v2"] as const)
  for (const deaf of [false, true])
    test(`${version}: a running tool is aborted at once${deaf ? ", deaf or not" : ""}, and no model is asked afterwards`, async () => {
      await using behest = await testBehest();
      const { work, told: heard } = revoking(behest, { principal: "alice" }, deaf);
      const model = scripted(calling({ name: "work", args: {} }), new AIMessage("never"));
      const agent = createAgent({ model, tools: [work], middleware: behestMiddleware(), version });
      const session = await behest.as("alice", { work: any });
      await expect(session.run(() => agent.invoke(ask("go")))).rejects.toThrow(/revoked/);
      expect(heard).toEqual(deaf ? [] : ["revoked"]);
      expect(model.calls).toHaveLength(1);
      // LangChain rejects for the tool: nobody can tell whether it has stopped.
      expect(await behest.records.list()).toMatchObject([{ tool: "work", outcome: "unknown" }]);
    });

test("a sub-agent that is cut stops; its parent and its sibling go on", async () => {
  await using behest = await testBehest();
  const { work } = revoking(behest, { agent: "left" });
  const rest = tool(async () => "rested", { name: "rest", description: "Rests", schema: z.object({}) });
  const spawn = (name: "left" | "right") =>
    subagentTool({
      name,
      description: name,
      schema: z.object({}),
      delegate: () => ({ agent: name, tools: { work: any, rest: any } }),
      run: async () => {
        const model = scripted(
          calling({ name: name === "left" ? "work" : "rest", args: {} }),
          new AIMessage(`${name} done`),
        );
        const agent = createAgent({ model, tools: [work, rest], middleware: behestMiddleware() });
        return (await agent.invoke(ask("do it"))).messages.at(-1)!.text;
      },
    });
  const model = scripted(
    calling({ name: "left", args: {} }, { name: "right", args: {} }),
    new AIMessage("end"),
  );
  const agent = createAgent({
    model,
    tools: [spawn("left"), spawn("right")],
    middleware: behestMiddleware(),
  });
  const session = await behest.as("alice", { work: any, rest: any });
  const { messages } = await session.run(() => agent.invoke(ask("go")));
  expect(told(messages)).toEqual([expect.stringMatching(/^error: .*revoked/), "success: right done"]);
  expect(messages.at(-1)!.text).toBe("end");
  expect(session.signal.aborted).toBe(false);
});

test("a deep agent's sub-agent stops in the middle, with all of its run", async () => {
  await using behest = await testBehest();
  const { work, told: heard } = revoking(behest, { principal: "alice" });
  const asked: string[] = [];
  const model = deciding((messages: BaseMessage[]) => {
    asked.push(isChild(messages) ? "child" : "root");
    return isChild(messages) ? calling({ name: "work", args: {} }) : calling(task("general-purpose"));
  });
  const agent = createDeepAgent(guardDeepAgent({ model, tools: [work] }));
  const session = await behest.as("alice", { work: any });
  await expect(session.run(() => agent.invoke(ask("go")))).rejects.toThrow(/revoked/);
  expect(heard).toEqual(["revoked"]);
  expect(asked).toEqual(["root", "child"]);
});
