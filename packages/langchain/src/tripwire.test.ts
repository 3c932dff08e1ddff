import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { grants, is } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import type { StructuredTool } from "@langchain/core/tools";
import { AIMessage, createAgent, createMiddleware, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, mailer, scripted, told } from "../test/support.ts";
import { behestMiddleware, guardTools, subagentTool } from "./index.ts";

test("an unguarded tool that is invoked inside a session does not run", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const session = await behest.as("alice", grants([sendMail], { send_mail: true }));

  await expect(session.run(() => sendMail.invoke({ to: "bob@example.com" }))).rejects.toMatchObject({
    name: "BehestDenied",
    code: "tool_unguarded",
  });

  expect(sent).toEqual([]);
  expect(await behest.records.list()).toMatchObject([
    { tool: "send_mail", verdict: "deny", code: "tool_unguarded" },
  ]);
  expect(await sendMail.invoke({ to: "bob@example.com" })).toBe("sent (none)");
});

test("an unguarded tool inside a guarded body, even its own original, does not run", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const helper = tool(async () => sendMail.invoke({ to: "bob@example.com" }), {
    name: "helper",
    description: "d",
    schema: z.object({}),
  });
  const again: object & { invoke(input: object): Promise<unknown> } = tool(
    async () => `${await again.invoke({})}`,
    { name: "again", description: "d", schema: z.object({}) },
  );
  const [guardedHelper, guardedAgain] = guardTools([helper, again]);
  const session = await behest.as("alice", {
    helper: { "*": is.any.constraint },
    again: { "*": is.any.constraint },
  });
  await session.run(async () => {
    await expect(guardedHelper.invoke({})).rejects.toMatchObject({ code: "tool_unguarded" });
    await expect(guardedAgain.invoke({})).rejects.toMatchObject({ code: "tool_unguarded" });
  });
  expect(sent).toEqual([]);
});

test("a schema that calls a tool while it parses cannot smuggle an unguarded one in", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const schema = z
    .object({ to: z.string() })
    .transform(async ({ to }) => ({ to: await sendMail.invoke({ to }) }));
  const sly = tool(async () => "ok", { name: "send_mail", description: "d", schema: schema as never });
  const [guarded] = guardTools([sly]);
  const session = await behest.as("alice", { send_mail: { "*": is.any.constraint } });
  await expect(session.run(() => guarded.invoke({ to: "x" } as never))).rejects.toThrow();
  expect(sent).toEqual([]);
});

test("the tools of an unguarded agent do not run below a session", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const child = createAgent({
    model: scripted(
      calling({ name: "send_mail", args: { to: "bob@example.com" } }),
      new AIMessage("child done"),
    ),
    tools: [sendMail],
  });
  const consult = tool(
    async () => (await child.invoke(ask("write"))).messages.map(({ text }) => text).join("\n"),
    {
      name: "consult",
      description: "d",
      schema: z.object({}),
    },
  );
  const session = await behest.as("alice", grants([sendMail, consult], { send_mail: true, consult: true }));
  const model = scripted(calling({ name: "consult", args: {} }), new AIMessage("done"));
  const agent = createAgent({ model, tools: [consult], middleware: behestMiddleware() });

  const { messages } = await session.run(() => agent.invoke(ask("go")));

  expect(told(messages)[0]).toMatch(/BehestDenied: send_mail: this tool is not guarded here[^]*child done/);
  expect(sent).toEqual([]);
});

test("it is armed in a server that listened before the first session", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const session = await behest.as("alice", grants([sendMail], { send_mail: true }));
  const server = createServer((_request, response) => {
    session
      .run(() => sendMail.invoke({ to: "bob@example.com" }))
      .then(
        () => response.end("ran"),
        (error: { code: string }) => response.end(error.code),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(await answer.text()).toBe("tool_unguarded");
  expect(sent).toEqual([]);
  await new Promise((resolve) => server.close(resolve));
});

test("a session that is opened inside of a plain graph keeps what LangChain handed on, and leaves no trace", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const session = await behest.as("alice", grants([sendMail], { send_mail: true }));
  const [guarded] = guardTools([sendMail]);
  const tags: unknown[] = [];
  const callbacks = [{ handleToolStart: (...call: unknown[]) => void tags.push(call[4]) }];
  const probe = createMiddleware({
    name: "probe",
    beforeModel: async () => {
      await session.run(() => guarded.invoke({ to: "bob@example.com" }, { callbacks }));
      await sendMail.invoke({ to: "bob@example.com" });
    },
  });
  const plain = createAgent({ model: scripted(new AIMessage("done")), tools: [], middleware: [probe] });
  await plain.invoke(ask("go"), { tags: ["mine"] });
  expect(tags).toEqual([expect.arrayContaining(["mine"])]);
  expect(sent).toHaveLength(2);
});

test("a copy of a guarded tool, as deepagents makes them, is stopped by itself and never loses its guard", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  let started = 0;
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({}),
    delegate: { tools: { nothing: { "*": is.any.constraint } } },
    run: async () => `${++started}`,
  });
  const session = await behest.as("alice", { spawn: { "*": is.any.constraint } });
  for (const tool of [...guardTools([sendMail]), spawn] as StructuredTool[]) {
    const copy = Object.assign(Object.create(Object.getPrototypeOf(tool)), tool, { description: "other" });
    await expect(session.run(() => copy.invoke({ to: "x" }))).rejects.toMatchObject({
      code: "tool_unguarded",
    });
    // Guarded anew, it is decided on twice; what it delegates is still what counts.
    const [again] = guardTools([copy]);
    await expect(session.run(() => again.invoke({ to: "x" }))).rejects.toThrow(
      /BehestDenied|not delegated|nothing/,
    );
  }
  expect([sent, started]).toEqual([[], 0]);
});

test("what LangChain starts no tool for is not seen: the doc comment says so", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const session = await behest.as("alice", grants([sendMail], { send_mail: true }));
  await session.run(() =>
    sendMail.func({ to: "bob@example.com", subject: "s", tags: [] }, undefined, undefined),
  );
  expect(sent).toHaveLength(1);
  expect(await behest.records.list()).toEqual([]);
});
