import { type AatTools, is } from "@behest/delegation";
import { withProfile } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { AIMessage, createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, deciding } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";

test.for([
  ["in one tool", [3]],
  ["in a tool each", [1, 1, 1]],
] as const)(
  "children with the same prompt, at once %s, are told apart when they are replayed",
  async ([, widths]) => {
    await using behest = await testBehest();
    let count = 0;
    const tick = tool(async () => `${++count}`, { name: "count", description: "d", schema: z.object({}) });
    const childModel = deciding((messages) => {
      const last = messages.at(-1)!;
      return last.type === "tool" ? new AIMessage(last.text) : calling({ name: "count", args: {} });
    });
    const child = createAgent({ model: childModel, tools: [tick], middleware: behestMiddleware() });
    const answers: string[][] = [[], []];
    let round = 0;
    const fan = tool(
      async ({ from, width }) => {
        const runs = await Promise.all(Array.from({ length: width }, () => child.invoke(ask("count"))));
        for (const [i, { messages }] of runs.entries()) answers[round]![from + i] = messages.at(-1)!.text;
        if (round === 0) throw new Error("killed when the children had ended");
        return "ok";
      },
      { name: "fan", description: "d", schema: z.object({ from: z.number(), width: z.number() }) },
    );
    const fans = [withProfile(fan, { effect: "read", boundary: "inside" })];
    const tools: AatTools = { fan: { "*": is.any.constraint }, count: { "*": is.any.constraint } };
    for (; round < 2; round++) {
      const model = deciding((messages) => {
        if (messages.some(({ type }) => type === "tool")) throw new Error("killed");
        return calling(...widths.map((width, from) => ({ name: "fan", args: { from, width } })));
      });
      const agent = createAgent({ model, tools: fans, middleware: behestMiddleware() });
      const session = await behest.as("alice", tools, { run: "thread-1" });
      await session.run(() => agent.invoke(ask("go"))).catch(() => {});
    }
    expect(answers[0]!.toSorted()).toEqual(["1", "2", "3"]);
    expect(answers[1]).toEqual(answers[0]);
    expect([count, childModel.callCount]).toEqual([3, 6]);
  },
);
