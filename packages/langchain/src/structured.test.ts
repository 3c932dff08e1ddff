import { testBehest } from "@behest/core/testing";
import { AIMessage, createAgent, createMiddleware, providerStrategy, toolStrategy } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, deciding, mailer } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";
import { crashing, granted, twice } from "../test/taken-up.ts";

const Verdict = z.object({ answer: z.number() });

test("a structured answer, and LangChain's retry of a wrong one, are the same when they are replayed", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const { crash, dies } = crashing();
  const responseFormat = toolStrategy(Verdict);
  const extract = responseFormat[0]!.name;
  const { result, askings } = await twice(
    behest,
    (model) =>
      createAgent({
        model,
        tools: [sendMail, crash],
        responseFormat,
        middleware: behestMiddleware([dies]),
      }) as never,
    (messages) => {
      const results = messages.filter(({ type }) => type === "tool").length;
      // Before anything else a wrong answer, which LangChain sends back with a command of its own.
      if (results === 0) return calling({ name: extract, args: { answer: "seven" } });
      if (results === 1) return calling({ name: "send_mail", args: { to: "bob@example.com" } });
      return results === 2
        ? calling({ name: "crash", args: {} })
        : calling({ name: extract, args: { answer: 7 } });
    },
  );
  expect(result).toHaveProperty("structuredResponse", { answer: 7 });
  expect([askings, sent.length]).toEqual([[3, 1], 1]);
});

test("a provider's structured answer is parsed again when it is replayed", async () => {
  await using behest = await testBehest();
  const { sendMail } = mailer();
  const answers: unknown[] = [];
  const askings: number[] = [];
  for (const fails of [true, false]) {
    const model = deciding(() => new AIMessage('{"answer":7}'));
    const dies = createMiddleware({
      name: "dies",
      afterModel: () => {
        if (fails) throw new Error("killed");
      },
    });
    const responseFormat = providerStrategy(Verdict);
    const agent = createAgent({
      model,
      tools: [sendMail],
      responseFormat,
      middleware: behestMiddleware([dies]),
    });
    const session = await behest.as("alice", granted, { run: "thread-1" });
    const result = await session.run(() => agent.invoke(ask("go"))).catch(() => undefined);
    answers.push(result?.structuredResponse);
    askings.push(model.callCount);
  }
  expect([answers, askings]).toEqual([
    [undefined, { answer: 7 }],
    [1, 0],
  ]);
});
