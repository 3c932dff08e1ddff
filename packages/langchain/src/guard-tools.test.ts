import { type AatTools, grants, is } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import { RunnableLambda } from "@langchain/core/runnables";
import { DynamicStructuredTool, StructuredTool } from "@langchain/core/tools";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { AIMessage, createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, mailer, scripted, told } from "../test/support.ts";
import { behestMiddleware, guardTools } from "./index.ts";

const any: AatTools[string] = { "*": is.any.constraint };
const call = (name: string, args: Record<string, unknown>) => ({
  name,
  args,
  id: "c1",
  type: "tool_call" as const,
});

test("a guarded tool keeps its name, class, schema and place", () => {
  const { sendMail } = mailer();
  const [guarded, provider] = guardTools([sendMail, { type: "web_search" }]);
  expect(guarded).toBeInstanceOf(DynamicStructuredTool);
  expect(guarded).toBeInstanceOf(StructuredTool);
  expect([guarded.name, guarded.description, guarded.schema]).toEqual([
    sendMail.name,
    sendMail.description,
    sendMail.schema,
  ]);
  expect(provider).toEqual({ type: "web_search" });
  expect(guardTools([guarded])[0]).toBe(guarded);
});

test("invoked with bare arguments a denial is thrown; with a tool call it is an error message", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const [guarded] = guardTools([sendMail]);
  const session = await behest.as(
    "alice",
    grants([sendMail], { send_mail: { to: is.email("@example.com"), "*": is.any } }),
  );
  await session.run(async () => {
    await expect(guarded.invoke({ to: "eve@evil.test" })).rejects.toMatchObject({
      name: "BehestDenied",
      code: "argument_not_granted",
    });
    const message = await guarded.invoke(call("send_mail", { to: "eve@evil.test" }));
    expect(message).toMatchObject({ status: "error", tool_call_id: "c1", name: "send_mail" });
    expect(await guarded.invoke({ to: "bob@example.com" })).toBe("sent (none)");
  });
  expect(sent).toHaveLength(1);
});

test("outside a session a guarded tool names itself and does not run", async () => {
  const { sendMail, sent } = mailer();
  const [guarded] = guardTools([sendMail]);
  const outside = guarded.invoke({ to: "bob@example.com" });
  await expect(outside).rejects.toMatchObject({ code: "no_session" });
  await expect(outside).rejects.toThrow(
    'no_session: "send_mail" was called outside a session. Wrap the call: session.run(',
  );
  expect(sent).toEqual([]);
});

test("parsed arguments that are not JSON are refused before the body", async () => {
  await using behest = await testBehest();
  let ran = false;
  const schema = z.object({ at: z.string().transform((text) => new Date(text)) });
  const book = tool(async () => ((ran = true), "ok"), { name: "book", description: "d", schema });
  const [guarded] = guardTools([book]);
  const session = await behest.as("alice", { book: any });
  await expect(session.run(() => guarded.invoke({ at: "2026-01-01" }))).rejects.toMatchObject({
    code: "args_not_json",
  });
  expect(ran).toBe(false);
});

test("what has no body of its own, or another way to it, cannot be guarded", async () => {
  await using behest = await testBehest();
  let ran = 0;
  const schema = z.object({});
  const runnable = RunnableLambda.from(async () => `${++ran}`).asTool({
    name: "runnable",
    description: "d",
    schema,
  });
  class Sly extends StructuredTool {
    name = "sly";
    description = "d";
    schema = schema;
    override async invoke() {
      return `${++ran}` as never;
    }
    async _call() {
      return "never";
    }
  }
  const patched = tool(async () => "never", { name: "patched", description: "d", schema });
  patched.invoke = (async () => `${++ran}`) as never;
  for (const bad of [runnable, new Sly(), patched]) {
    expect(() => guardTools([bad])).toThrow(expect.objectContaining({ code: "tool_unsupported" }));
    // The same in an agent, where the tool is met only when it is called.
    const session = await behest.as("alice", { [bad.name]: any });
    const model = scripted(calling({ name: bad.name, args: {} }), new AIMessage("done"));
    const agent = createAgent({ model, tools: [bad], middleware: behestMiddleware() });
    const { messages } = await session.run(() => agent.invoke(ask("go")));
    expect(told(messages)).toEqual([expect.stringMatching(/^error: BehestDenied: .*no body/)]);
  }
  expect(ran).toBe(0);
  expect(await behest.records.list()).toMatchObject([
    { code: "tool_unsupported" },
    { code: "tool_unsupported" },
    { code: "tool_unsupported" },
  ]);
});

test("in a ToolNode each call is decided on by itself", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const session = await behest.as(
    "alice",
    grants([sendMail], { send_mail: { to: is.email("@example.com"), "*": is.any } }),
  );
  const node = new ToolNode(guardTools([sendMail]));
  const turn = calling(
    { name: "send_mail", args: { to: "eve@evil.test" } },
    { name: "send_mail", args: { to: "bob@example.com" } },
  );
  const { messages } = await session.run(() => node.invoke({ messages: [turn] }));
  expect(told(messages)).toEqual([expect.stringMatching(/^error: BehestDenied/), "success: sent (none)"]);
  expect(sent).toHaveLength(1);
});
