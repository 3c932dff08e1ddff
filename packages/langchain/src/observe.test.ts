import { memoryStore, readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { verifyLog } from "@behest/provenance";
import { AIMessage, createAgent, tool } from "langchain";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { ask, calling, mailer, scripted } from "../test/support.ts";
import { behestMiddleware, subagentTool } from "./index.ts";

test("without a delegation an agent is offered all its tools, and its turns, actions and sub-agents are recorded", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const store = memoryStore();
  await using behest = await testBehest({ enforce: "shadow", store });
  const { sendMail, sent } = mailer();
  const drop = tool(async () => "dropped", { name: "drop", description: "d", schema: z.object({}) });
  const helper = subagentTool({
    name: "helper",
    description: "d",
    schema: z.object({}),
    delegate: () => ({ agent: "helper", tools: {} }),
    run: async () => {
      const model = scripted(
        calling({ name: "send_mail", args: { to: "eve@evil.test" } }),
        new AIMessage("helped"),
      );
      const agent = createAgent({ model, tools: [sendMail], middleware: behestMiddleware() });
      return (await agent.invoke(ask("help"))).messages.at(-1)!.text;
    },
  });
  const offered: unknown[] = [];
  const model = scripted(
    calling({ name: "drop", args: {} }, { name: "helper", args: {} }),
    new AIMessage("done"),
  );
  const bind = model.bindTools.bind(model);
  model.bindTools = (tools) => (offered.push(...tools), bind(tools));
  const agent = createAgent({ model, tools: [sendMail, drop, helper], middleware: behestMiddleware() });
  await behest.observe({ agent: "clerk", run: "chat" }).run(() => agent.invoke(ask("go")));
  expect(offered.slice(0, 3)).toEqual([sendMail, drop, helper]);
  expect(sent).toMatchObject([{ to: "eve@evil.test" }]);
  const records = await behest.records.list();
  expect(records.map(({ agent: by, tool: what, observed }) => [by, what, observed]).toSorted()).toEqual([
    ["clerk", "drop", true],
    ["helper", "send_mail", true],
  ]);
  for (const { index } of records)
    expect((await behest.records.get(index))!.entries).toMatchObject({
      delegations: [],
      interaction: { enforce: "shadow", observed: true, links: {} },
    });
  const reader = readStore(store);
  const entries = reader.entries();
  const report = await verifyLog({ entries, checkpoint: await reader.checkpoint(), owner: behest.owner });
  expect(report).toMatchObject({ ok: true, observed: 2, counts: { delegation: 0, interaction: 4 } });
});
