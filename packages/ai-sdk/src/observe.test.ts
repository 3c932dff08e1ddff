import { ToolLoopAgent, generateText, isStepCount, streamText } from "ai";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { memoryStore, readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { verifyLog } from "@behest/provenance";
import { fake, seen, toolbox } from "../test/fake.ts";
import { guard, subagentTool } from "./index.ts";

test.each(["generateText", "streamText"])(
  "%s without a delegation is offered all its tools, and turns, actions and sub-agents are recorded",
  async (how) => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const store = memoryStore();
    await using behest = await testBehest({ enforce: "shadow", store });
    const { tools, did } = toolbox();
    const inner = new ToolLoopAgent(guard({ model: fake([["drop_table", { name: "t" }]], "helped"), tools }));
    const helper = subagentTool({
      description: "Helps",
      inputSchema: z.object({}),
      delegate: () => ({ agent: "helper", tools: {} }),
      run: async (_, { signal }) => (await inner.generate({ prompt: "help", abortSignal: signal })).text,
    });
    const model = fake([["pay", { amount: 5 }]], [["helper", {}]], "done");
    const settings = { model, tools: { ...tools, helper }, prompt: "x", stopWhen: isStepCount(5) };
    const guarded = guard(settings, behest.observe({ agent: "clerk", run: "chat" }));
    await (how === "generateText" ? generateText(guarded) : streamText(guarded).consumeStream());
    const [first] = [...model.doGenerateCalls, ...model.doStreamCalls];
    expect(first!.tools!.map(({ name }) => name)).toEqual(["pay", "read_file", "drop_table", "helper"]);
    expect(did).toEqual(["pay 5 EUR", "drop t"]);
    expect(seen(model)).toEqual(["paid 5", "helped"]);
    const records = await behest.records.list();
    expect(records.map(({ agent, tool, observed }) => [agent, tool, observed])).toEqual([
      ["clerk", "pay", true],
      ["helper", "drop_table", true],
    ]);
    const reader = readStore(store);
    const entries = reader.entries();
    const report = await verifyLog({ entries, checkpoint: await reader.checkpoint(), owner: behest.owner });
    expect(report).toMatchObject({ ok: true, observed: 2, counts: { delegation: 0, interaction: 5 } });
  },
);
