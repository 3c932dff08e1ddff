import { ToolLoopAgent, tool as aiTool } from "ai";
import { createAgent, tool } from "langchain";
import { z } from "zod";
import { guard } from "@behest/ai-sdk";
import { type Session, withProfile } from "@behest/core";
import { grants, is } from "@behest/delegation";
import { behestMiddleware, subagentTool } from "@behest/langchain";
import type { Models } from "./models.ts";
import { office } from "./world.ts";

/** Inside the company a mail can be recalled: it need not wait for a person. */
const isColleague = (to: string): boolean => to.endsWith("@example.com");

/** What Alice is asked; the orchestrator passes each half on. */
const TASK = "Answer mail 1, then write a report about our customers.";

/**
 * Alice's orchestrator (LangChain), which spawns a reader (LangChain) that may read mail and answer inside
 * the company, and a reporter (AI SDK) that may list customers and file a report; neither may do the other's.
 */
export async function runOffice(session: Session, models: Models, effects: string): Promise<string> {
  const o = office(effects);
  const lcTools = [
    withProfile(tool(o.read_mail.run, { name: "read_mail", ...o.read_mail }), {
      effect: "read",
      boundary: "inside",
    }),
    withProfile(tool(o.send_mail.run, { name: "send_mail", ...o.send_mail }), {
      effect: ({ to }) => (isColleague(to) ? "reversible" : "irreversible"),
      boundary: ({ to }) => (isColleague(to) ? "inside" : "outside"),
      control: ["to"],
      undo: "recall it",
    }),
    withProfile(tool(o.list_customers.run, { name: "list_customers", ...o.list_customers }), {
      effect: "read",
      boundary: "inside",
    }),
  ];
  const aiTools = {
    list_customers: withProfile(
      aiTool({
        ...o.list_customers,
        inputSchema: o.list_customers.schema,
        execute: async (input) => o.list_customers.run(input),
      }),
      { effect: "read", boundary: "inside" },
    ),
    file_report: withProfile(
      aiTool({
        ...o.file_report,
        inputSchema: o.file_report.schema,
        execute: async (input) => o.file_report.run(input),
      }),
      { effect: "reversible", boundary: "inside" },
    ),
  };
  const reader = createAgent({
    model: await models.langchain("reader"),
    tools: lcTools,
    middleware: behestMiddleware(),
  });
  const reporter = new ToolLoopAgent(guard({ model: await models.aiSdk("reporter"), tools: aiTools }));

  const orchestrator = createAgent({
    model: await models.langchain("orchestrator"),
    middleware: behestMiddleware(),
    tools: [
      subagentTool({
        name: "answer_mail",
        description: "Has a sub-agent read a mail and answer it",
        schema: z.object({ id: z.string() }),
        delegate: ({ id }) => ({
          agent: "reader",
          task: "answer one mail",
          tools: grants(lcTools, {
            read_mail: { id },
            send_mail: { to: is.email("@example.com"), subject: is.any, body: is.any },
          }),
          expiresIn: "5m",
        }),
        run: async ({ id }) => {
          const { messages } = await reader.invoke({
            messages: [{ role: "user", content: `Read mail ${id} and answer it.` }],
          });
          return messages.at(-1)!.text;
        },
      }),
      subagentTool({
        name: "write_report",
        description: "Has a sub-agent write a report about our customers",
        schema: z.object({ title: z.string() }),
        delegate: ({ title }) => ({
          agent: "reporter",
          task: "write one report",
          tools: grants(aiTools, { list_customers: true, file_report: { title, text: is.any } }),
          expiresIn: "5m",
        }),
        run: async ({ title }, { signal }) =>
          (await reporter.generate({ prompt: `Write the report "${title}".`, abortSignal: signal })).text,
      }),
    ],
  });
  const { messages } = await session.run(() =>
    orchestrator.invoke({ messages: [{ role: "user", content: TASK }] }),
  );
  return messages.at(-1)!.text;
}
