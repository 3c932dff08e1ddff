import { grants, is } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import { createAgent, tool } from "langchain";
import { AIMessage } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, mailer, scripted, told } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";

test("a permitted call runs, is recorded, and its result goes to the model", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const session = await behest.as(
    "alice",
    grants([sendMail], { send_mail: { to: is.email("@example.com"), "*": is.any } }),
  );
  const model = scripted(
    calling({ name: "send_mail", args: { to: "bob@example.com", subject: "hi" } }),
    new AIMessage("done"),
  );
  const agent = createAgent({ model, tools: [sendMail], middleware: behestMiddleware() });

  const { messages } = await session.run(() => agent.invoke(ask("write to bob")));

  expect(told(messages)).toEqual(["success: sent hi"]);
  expect(messages.at(-1)?.text).toBe("done");
  expect(sent).toHaveLength(1);
  expect(await behest.records.list()).toMatchObject([
    { tool: "send_mail", verdict: "permit", code: "ok", outcome: "done" },
  ]);
});

test("a denied call does not run; the model is told, and the loop goes on", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const session = await behest.as(
    "alice",
    grants([sendMail], { send_mail: { to: is.email("@example.com"), "*": is.any } }),
  );
  const model = scripted(
    calling({ name: "send_mail", args: { to: "eve@evil.test" } }),
    new AIMessage("refused"),
  );
  const agent = createAgent({ model, tools: [sendMail], middleware: behestMiddleware() });

  const { messages } = await session.run(() => agent.invoke(ask("write to eve")));

  expect(sent).toEqual([]);
  expect(told(messages)).toEqual([
    'error: BehestDenied: send_mail: argument "to" is outside what was delegated (email). Other calls may go on; do not retry this one.',
  ]);
  expect(messages.at(-1)?.text).toBe("refused");
  expect(await behest.records.list()).toMatchObject([
    { tool: "send_mail", verdict: "deny", code: "argument_not_granted" },
  ]);
});

test("what is decided on and run is the parsed, frozen value: defaults and transforms included", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  // Only the transformed address and the default subject lie within the grant.
  const session = await behest.as(
    "alice",
    grants([sendMail], { send_mail: { to: "bob@example.com", subject: "(none)", tags: is.any } }),
  );
  const model = scripted(
    calling({ name: "send_mail", args: { to: "  BOB@Example.com " } }),
    new AIMessage("done"),
  );
  const agent = createAgent({ model, tools: [sendMail], middleware: behestMiddleware() });

  const { messages } = await session.run(() => agent.invoke(ask("write")));

  expect(told(messages)).toEqual(["success: sent (none)"]);
  expect(sent).toEqual([{ to: "bob@example.com", subject: "(none)", tags: [] }]);
  expect(Object.isFrozen(sent[0]) && Object.isFrozen(sent[0]?.tags)).toBe(true);
});

test("outside a session nothing is asked and nothing runs", async () => {
  const { sendMail, sent } = mailer();
  const model = scripted(calling({ name: "send_mail", args: { to: "bob@example.com" } }));
  const agent = createAgent({ model, tools: [sendMail], middleware: behestMiddleware() });

  await expect(agent.invoke(ask("write"))).rejects.toMatchObject({ cause: { code: "no_session" } });

  expect(model.callCount).toBe(0);
  expect(sent).toEqual([]);
});

test("two sessions at once, with parallel calls, are kept apart", async () => {
  await using behest = await testBehest();
  const seen: string[] = [];
  const read = tool(
    async ({ path }) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen.push(path);
      return path;
    },
    { name: "read_file", description: "d", schema: z.object({ path: z.string() }) },
  );
  const paths = ["/alice/1", "/bob/1", "/alice/2", "/bob/2"];
  const both = () =>
    scripted(calling(...paths.map((path) => ({ name: "read_file", args: { path } }))), new AIMessage("done"));
  const run = async (who: string) => {
    const session = await behest.as(who, grants([read], { read_file: { path: is.under(`/${who}`) } }));
    const agent = createAgent({ model: both(), tools: [read], middleware: behestMiddleware() });
    return session.run(() => agent.invoke(ask("read")));
  };

  const [alice, bob] = await Promise.all([run("alice"), run("bob")]);

  expect(told(alice.messages).map((line) => line.slice(0, 7))).toEqual([
    "success",
    "error: ",
    "success",
    "error: ",
  ]);
  expect(told(bob.messages).map((line) => line.slice(0, 7))).toEqual([
    "error: ",
    "success",
    "error: ",
    "success",
  ]);
  expect(seen.toSorted()).toEqual(paths.toSorted());
  const records = await behest.records.list({ principal: "alice" });
  expect(records.map(({ verdict }) => verdict).toSorted()).toEqual(["deny", "deny", "permit", "permit"]);
});
