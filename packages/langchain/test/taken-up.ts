import { type AatTools, is } from "@behest/delegation";
import { type TestBehest } from "@behest/core/testing";
import { AIMessage, createMiddleware, tool } from "langchain";
import { expect } from "vitest";
import { z } from "zod";
import { ask, calling, deciding } from "./support.ts";

export const granted: AatTools = { send_mail: { "*": is.any.constraint }, crash: { "*": is.any.constraint } };

/** A tool that dies the first time, as a process that is killed would: the run rejects. */
export function crashing() {
  let crashes = 1;
  const crash = tool(async () => "calm", { name: "crash", description: "d", schema: z.object({}) });
  const dies = createMiddleware({
    name: "dies",
    wrapToolCall: (request, handler) => {
      if (request.toolCall.name === "crash" && crashes-- > 0) throw new Error("killed");
      return handler(request);
    },
  });
  return { crash, dies };
}

/** Runs an agent until it dies, and again under the same run: only its session and its model are new. */
export async function twice(
  behest: TestBehest,
  agentOf: (model: ReturnType<typeof deciding>) => {
    invoke(input: object): Promise<{ messages: AIMessage[] }>;
  },
  decide: Parameters<typeof deciding>[0],
) {
  const models = [deciding(decide), deciding(decide)] as const;
  const first = await behest.as("alice", granted, { run: "thread-1" });
  await expect(first.run(() => agentOf(models[0]).invoke(ask("go")))).rejects.toThrow("killed");
  const second = await behest.as("alice", granted, { run: "thread-1" });
  const result = await second.run(() => agentOf(models[1]).invoke(ask("go")));
  return { result, askings: models.map(({ callCount }) => callCount) };
}

/** mail, then crash, then done; every asking makes fresh call ids. */
export const mailThenCrash: Parameters<typeof deciding>[0] = (messages) => {
  const results = messages.filter(({ type }) => type === "tool").length;
  if (results === 0) return calling({ name: "send_mail", args: { to: "bob@example.com" } });
  return results === 1 ? calling({ name: "crash", args: {} }) : new AIMessage("done");
};
