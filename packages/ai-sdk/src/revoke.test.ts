import { signCut } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { ToolLoopAgent, generateText, isStepCount, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { asked, fake, seen } from "../test/fake.ts";
import { guard, subagentTool } from "./index.ts";

const any = { "*": { constraint_type: "wildcard" } };
const stopWhen = isStepCount(5);
const cut = async (behest: TestBehest, target: { agent: string } | { principal: string }): Promise<void> =>
  behest.revoke(await signCut(target, { reason: "test" }, behest.revoker));

/** A tool in whose body somebody revokes. `deaf`: it does not listen to its signal. */
function revoking(behest: TestBehest, target: Parameters<typeof cut>[1], deaf = false) {
  const heard: string[] = [];
  const work = tool({
    inputSchema: z.object({}),
    execute: async (_, { abortSignal }): Promise<string> => {
      await cut(behest, target);
      if (deaf) return new Promise<string>(() => {});
      heard.push((abortSignal!.reason as { code: string }).code);
      throw abortSignal!.reason;
    },
  });
  return { work, heard };
}

for (const deaf of [false, true])
  for (const mode of ["generateText", "streamText", "ToolLoopAgent"] as const)
    test(`${mode}: a running tool is aborted at once${deaf ? ", deaf or not" : ""}, and no model is asked afterwards`, async () => {
      await using behest = await testBehest();
      const { work, heard } = revoking(behest, { principal: "alice" }, deaf);
      const model = fake([["work", {}]], "never");
      const session = await behest.as("alice", { work: any });
      const settings = { model, tools: { work }, stopWhen, maxRetries: 0 };
      const errors: unknown[] = [];
      const run = async (): Promise<unknown> => {
        if (mode === "generateText") return generateText(guard({ ...settings, prompt: "x" }, session));
        if (mode === "ToolLoopAgent")
          return new ToolLoopAgent(guard(settings, session)).generate({ prompt: "x" });
        const onError = ({ error }: { error: unknown }): void => void errors.push(error);
        await streamText(guard({ ...settings, prompt: "x", onError }, session)).consumeStream();
        throw errors.at(-1);
      };
      await expect(run()).rejects.toThrow(/revoked/);
      expect(heard).toEqual(deaf ? [] : ["revoked"]);
      expect(asked(model)).toBe(1);
      expect(await behest.records.list()).toMatchObject([
        { tool: "work", outcome: deaf ? "unknown" : "aborted" },
      ]);
    });

test("a sub-agent that is cut stops; its parent and its sibling go on", async () => {
  await using behest = await testBehest();
  const { work } = revoking(behest, { agent: "left" });
  const rest = tool({ inputSchema: z.object({}), execute: async () => "rested" });
  const spawn = (name: "left" | "right") =>
    subagentTool({
      description: name,
      inputSchema: z.object({}),
      delegate: () => ({ agent: name, tools: { work: any, rest: any } }),
      run: async () => {
        const model = fake([[name === "left" ? "work" : "rest", {}]], `${name} done`);
        return (await generateText(guard({ model, tools: { work, rest }, prompt: "do it", stopWhen }))).text;
      },
    });
  const model = fake(
    [
      ["left", {}],
      ["right", {}],
    ],
    "end",
  );
  const session = await behest.as("alice", { work: any, rest: any });
  const tools = { left: spawn("left"), right: spawn("right") };
  const { text } = await generateText(guard({ model, tools, prompt: "go", stopWhen }, session));
  expect(text).toBe("end");
  expect(seen(model)).toEqual([expect.stringContaining("revoked"), "right done"]);
  expect(session.signal.aborted).toBe(false);
});
