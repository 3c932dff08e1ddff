// An orchestrator (LangChain) hands a narrower delegation to a sub-agent (AI SDK), then tries to hand on too much.
import { readFile } from "node:fs/promises";
import { ToolLoopAgent } from "ai";
import { AIMessage, createAgent, fakeModel } from "langchain";
import { z } from "zod";
import { guard } from "@behest/ai-sdk";
import { createBehest } from "@behest/core";
import { grants, is } from "@behest/delegation";
import { behestMiddleware, subagentTool } from "@behest/langchain";
import { aiModel, aiTools, messages } from "./office.ts";

await using behest = await createBehest();
const session = await behest.open(await readFile("alice.json", "utf8"), { agent: "orchestrator" });

const mailer = new ToolLoopAgent(guard({ model: aiModel, tools: aiTools }));
const spawn = (name: string, folder: string) =>
  subagentTool({
    name,
    description: "Has a sub-agent read one folder and tell Bob",
    schema: z.object({ question: z.string() }),
    delegate: {
      agent: name,
      tools: grants(aiTools, {
        read_file: { path: is.under(folder) },
        send_mail: { to: "bob@example.com", subject: is.any, body: is.any },
      }),
      expiresIn: "5m",
    },
    run: async ({ question }, { signal }) =>
      (await mailer.generate({ prompt: question, abortSignal: signal })).text,
  });

const call = (name: string): AIMessage =>
  new AIMessage({
    content: "",
    tool_calls: [{ name, id: name, args: { question: "What about Friday?" }, type: "tool_call" }],
  });
const orchestrator = createAgent({
  model: fakeModel()
    .respond(call("notes_reader"))
    .respond(call("disk_reader"))
    .respond(new AIMessage("Done.")),
  tools: [spawn("notes_reader", "/notes"), spawn("disk_reader", "/")],
  middleware: behestMiddleware(),
});

await session.run(() => orchestrator.invoke({ messages }));
for (const { principal, agent, tool, verdict, code } of await behest.records.list({ session }))
  console.log(principal, agent, tool, verdict, code);
