import { type AatTools, grants, is } from "@behest/delegation";
import { currentSession } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { AIMessage, createAgent, createMiddleware, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, mailer, scripted, told } from "../test/support.ts";
import { behestMiddleware, subagentTool } from "./index.ts";

const readFile = tool(async ({ path }) => `${currentSession().agent} read ${path}`, {
  name: "read_file",
  description: "Reads a file",
  schema: z.object({ path: z.string() }),
});
const under = (folder: string): AatTools => grants([readFile], { read_file: { path: is.under(folder) } });

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

test("a tool that starts a sub-agent is offered without a grant; others are hidden, also the provider's", async () => {
  await using behest = await testBehest();
  const { spawn } = wider(() => under("/data"));
  const hidden = tool(async () => "", { name: "hidden", description: "d", schema: z.object({}) });
  const offered: unknown[] = [];
  const model = scripted(new AIMessage("done"));
  const bind = model.bindTools.bind(model);
  model.bindTools = (tools) => (offered.push(...tools), bind(tools));
  const providers = [
    { type: "web_search" },
    { type: "code_2025", name: "code" },
    { type: "function", function: { name: "raw" } },
    { googleSearch: {} },
  ];
  const agent = createAgent({
    model,
    tools: [readFile, spawn, hidden, ...providers],
    middleware: behestMiddleware(),
  });
  const session = await behest.as("alice", {
    ...under("/data"),
    code: { "*": is.any.constraint },
    googleSearch: { "*": is.any.constraint },
  });
  await session.run(() => agent.invoke(ask("go")));
  expect(offered).toEqual([readFile, spawn, providers[1], providers[3]]);
});

test("a call of a tool that was hidden is denied at its body, and one of no tool at all names nothing", async () => {
  await using behest = await testBehest();
  let ran = false;
  const hidden = tool(async () => ((ran = true), ""), {
    name: "hidden",
    description: "d",
    schema: z.object({}),
  });
  const model = scripted(
    calling({ name: "hidden", args: {} }, { name: "made_up", args: {} }),
    new AIMessage("done"),
  );
  const agent = createAgent({ model, tools: [readFile, hidden], middleware: behestMiddleware() });
  const session = await behest.as("alice", under("/data"));
  const { messages } = await session.run(() => agent.invoke(ask("go")));
  expect(ran).toBe(false);
  expect(told(messages)).toEqual([
    "error: BehestDenied: hidden: this tool was not delegated. Other calls may go on; do not retry this one.",
    "error: BehestDenied: this agent has no such tool. Other calls may go on; do not retry this one.",
  ]);
  const records = await behest.records.list();
  expect(records.map(({ tool: name, code }) => [name, code]).toSorted()).toEqual([
    ["(unnamed)", "tool_not_granted"],
    ["hidden", "tool_not_granted"],
  ]);
});

test("what another middleware offers beyond the grant is not shown to the model, nor to the provider", async () => {
  await using behest = await testBehest();
  const { sendMail } = mailer();
  const wipe = tool(async () => "", { name: "wipe", description: "d", schema: z.object({}) });
  const seenInside: unknown[] = [];
  const shown: unknown[] = [];
  const offers = createMiddleware({
    name: "offers",
    tools: [wipe],
    wrapModelCall: (request, handler) => {
      seenInside.push(...request.tools);
      return handler({ ...request, tools: [...request.tools, wipe, { type: "web_search" }] });
    },
  });
  const model = scripted(new AIMessage("done"));
  const bind = model.bindTools.bind(model);
  model.bindTools = (tools) => (shown.push(...tools), bind(tools));
  const session = await behest.as("alice", grants([sendMail], { send_mail: true }));
  const agent = createAgent({ model, tools: [sendMail], middleware: behestMiddleware([offers]) });
  await session.run(() => agent.invoke(ask("go")));
  expect([seenInside, shown]).toEqual([[sendMail], [sendMail]]);
});
