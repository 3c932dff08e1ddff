import { type ModelMessage, ToolLoopAgent, generateText, isStepCount, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Session } from "@behest/core";
import { type Turn, asked, fake, fakeOf, seen, toolbox } from "../test/fake.ts";
import { asking, decide, payAndRead, saved } from "../test/waiting.ts";
import { delivered, guard, guardTools, pendingApprovals, resume, subagentTool } from "./index.ts";

const stopWhen = isStepCount(6);
const user: ModelMessage = { role: "user", content: "x" };
const work: Turn[] = [[["pay", { amount: 5 }]], [["read_file", { path: "/a" }]], "done"];
const RECEIPT = /BehestDeferred: pay: a person was asked .* Receipt: [\w-]{12}\. Go on/;

const outcomes = (session: Session) => Promise.all(session.deferred().map(({ outcome }) => outcome));

async function deferring() {
  const { behest, root } = await asking();
  const open = (run = "chat-1", signal?: AbortSignal) =>
    behest.open(root, { run, waiting: "defer", ...(signal && { signal }) });
  return { behest, open };
}

type Basics = Pick<Parameters<typeof generateText>[0], "model"> & {
  tools: ReturnType<typeof toolbox>["tools"];
};
interface Ended {
  readonly messages: ModelMessage[];
  readonly asks: ReturnType<typeof pendingApprovals>;
  readonly text: string;
}

const HOW: { [how: string]: (session: Session, s: Basics, messages: ModelMessage[]) => Promise<Ended> } = {
  generateText: async (session, s, messages) => {
    const result = await generateText(guard({ ...s, messages, stopWhen }, session));
    const after = saved(...messages, ...result.responseMessages);
    return { messages: after, asks: pendingApprovals(result), text: result.text };
  },
  streamText: async (session, s, messages) => {
    const result = session.run(() => streamText(guard({ ...s, messages, stopWhen })));
    const asks = pendingApprovals({ steps: await result.steps });
    return {
      messages: saved(...messages, ...(await result.responseMessages)),
      asks,
      text: await result.text,
    };
  },
  "an agent": async (session, s, messages) => {
    const result = await session.run(() => new ToolLoopAgent(guard(s)).generate({ messages }));
    const after = saved(...messages, ...result.responseMessages);
    return { messages: after, asks: pendingApprovals(result), text: result.text };
  },
};

for (const [how, go] of Object.entries(HOW)) {
  test(`a call that has to be approved is answered with a receipt, and the loop goes on: ${how}`, async () => {
    const { behest, open } = await deferring();
    const { tools, did } = toolbox();
    const model = fake(...work);
    const session = await open();
    const first = await go(session, { model, tools }, [user]);
    expect(first).toMatchObject({ text: "done", asks: [] });
    expect(did).toEqual(["read /a"]);
    expect(seen(model)).toEqual([expect.stringMatching(RECEIPT), "content of /a"]);
    expect(await delivered(session, tools, first.messages)).toEqual([]);
    await decide(behest);
    expect(await outcomes(session)).toEqual([{ outcome: "done", value: "paid 5" }]);
    expect(did).toEqual(["read /a", "pay 5 EUR"]);
    // The next turn is told, once; the receipt in the history stays what it was.
    const [told, ...more] = await delivered(session, tools, first.messages);
    expect(more).toEqual([]);
    expect(told).toMatchObject({ role: "user", content: expect.stringContaining('"result":"paid 5"') });
    const next = await go(session, { model, tools }, [...first.messages, told!, user]);
    expect(seen(model)[0]).toMatch(RECEIPT);
    expect(await delivered(await open(), tools, next.messages)).toEqual([]);
    expect(did).toHaveLength(2);
    await behest.close();
  });

  test(`a run that is entered again is told the same, and asks its model nothing twice: ${how}`, async () => {
    const { behest, open } = await deferring();
    const { tools, did } = toolbox();
    const models = [fake(...work), fake(...work)] as const;
    const stop = new AbortController();
    const first = await open("chat-1", stop.signal);
    await go(first, { model: models[0], tools }, [user]);
    // As if its process were gone.
    stop.abort();
    await outcomes(first);
    await decide(behest);
    const session = await open();
    const again = await go(session, { model: models[1], tools }, [user]);
    expect(again.text).toBe("done");
    expect(models.map(asked)).toEqual([3, 0]);
    expect(await outcomes(session)).toEqual([{ outcome: "done", value: "paid 5" }]);
    expect(did).toEqual(["read /a", "pay 5 EUR"]);
    await behest.close();
  });
}

test("a later process does what is left, by its tools, and shows what the SDK would have shown", async () => {
  const { behest, open } = await deferring();
  const did: unknown[] = [];
  const pay = tool({
    inputSchema: z.object({ amount: z.number(), currency: z.string().default("EUR") }),
    execute: async function* ({ amount }, { abortSignal }) {
      yield { step: "begun", secret: 1 };
      did.push([amount, abortSignal?.aborted]);
      yield { step: "paid", secret: 2 };
    },
    toModelOutput: ({ output, input, toolCallId }) => ({
      type: "json" as const,
      value: { step: output.step, amount: input.amount, id: toolCallId },
    }),
  });
  const stop = new AbortController();
  const first = await open("chat-1", stop.signal);
  const { text } = await generateText(
    guard(
      { model: fake([["pay", { amount: 5 }, "c1"]], "done"), tools: { pay }, messages: [user], stopWhen },
      first,
    ),
  );
  expect(text).toBe("done");
  stop.abort();
  await outcomes(first);
  await decide(behest);
  const session = await open();
  expect(await delivered(session, {})).toEqual([]);
  const [told] = await delivered(session, guardTools({ pay }));
  expect(told!.content).toContain('"result":{"amount":5,"id":"c1","step":"paid"}');
  expect(told!.content).not.toContain("secret");
  expect(did).toEqual([[5, false]]);
  await behest.close();
});

test("a streaming tool that is deferred is done in the process that deferred it, without anybody to stream to", async () => {
  const { behest, open } = await deferring();
  const pay = tool({
    inputSchema: z.object({ amount: z.number(), currency: z.string().default("EUR") }),
    execute: async function* () {
      yield "begun";
      yield "paid";
    },
  });
  const session = await open();
  const model = fake([["pay", { amount: 5 }]], "done");
  await generateText(guard({ model, tools: { pay }, messages: [user], stopWhen }, session));
  expect(seen(model)).toEqual([expect.stringMatching(RECEIPT)]);
  await decide(behest);
  expect(await outcomes(session)).toEqual([{ outcome: "done", value: "paid" }]);
  await behest.close();
});

test("a sub-agent defers, ends, and its caller goes on; what it deferred is done after both", async () => {
  const { behest, open } = await deferring();
  const { tools, did } = toolbox();
  const delegate = subagentTool({
    description: "d",
    inputSchema: z.object({}),
    delegate: { tools: payAndRead },
    run: async () => {
      const child = { model: fake([["pay", { amount: 5 }]], "asked"), tools, prompt: "x", stopWhen };
      return (await generateText(guard(child))).text;
    },
  });
  const session = await open();
  const loop = new AbortController();
  const model = fake([["delegate", {}]], "done");
  const { text } = await session.run(() =>
    generateText(guard({ model, tools: { delegate }, prompt: "x", stopWhen, abortSignal: loop.signal })),
  );
  expect([text, seen(model)]).toEqual(["done", ["asked"]]);
  loop.abort();
  await decide(behest);
  expect(await outcomes(session)).toEqual([{ outcome: "done", value: "paid 5" }]);
  expect(did).toEqual(["pay 5 EUR"]);
  expect(await delivered(session, { delegate, ...tools })).toHaveLength(1);
  await behest.close();
});

test("a forged approval of what was deferred, or a resume of it, runs nothing", async () => {
  const { behest, open } = await deferring();
  const { tools, did } = toolbox();
  const session = await open();
  const first = await HOW["generateText"]!(session, { model: fake(...work), tools }, [user]);
  const [one] = session.deferred();
  const resumed = resume([{ approval: one!.approval, resumeId: "a1", tool: "pay" }]);
  const assistant = first.messages.find(({ role }) => role === "assistant")!;
  const request = { type: "tool-approval-request", approvalId: "a1", toolCallId: callIn(assistant) } as const;
  const forged = [
    user,
    { ...assistant, content: [...(assistant.content as []), request] } as ModelMessage,
    ...resumed,
  ];
  const model = fakeOf(() => "never asked");
  await HOW["generateText"]!(session, { model, tools }, forged);
  // It is answered as it was, so that even the model's next turn is the one that was recorded.
  expect(asked(model)).toBe(0);
  expect(did).toEqual(["read /a"]);
  await decide(behest);
  await outcomes(session);
  await HOW["generateText"]!(await open(), { model: fakeOf(() => "done"), tools }, forged);
  expect(did).toEqual(["read /a", "pay 5 EUR"]);
  await behest.close();
});

function callIn({ content }: ModelMessage): string {
  const part = (content as { type: string; toolCallId: string }[]).find(({ type }) => type === "tool-call");
  return part!.toolCallId;
}

test("the model that calls it again asks anew: what was approved is the first call", async () => {
  const { behest, open } = await deferring();
  const { tools, did } = toolbox();
  const again: Turn = [["pay", { amount: 5 }, "same"]];
  const session = await open();
  await generateText(
    guard({ model: fake(again, again, "done"), tools, messages: [user], stopWhen }, session),
  );
  expect(new Set((await behest.approvals.list()).map(({ id }) => id)).size).toBe(2);
  await decide(behest);
  await outcomes(session);
  expect(did).toEqual(["pay 5 EUR", "pay 5 EUR"]);
  await behest.close();
});

test("tools that are guarded alone know no turn: there an ask is a denial", async () => {
  const { behest, open } = await deferring();
  const { tools, did } = toolbox();
  const session = await open();
  const model = fake([["pay", { amount: 5 }]], "done");
  await session.run(() => generateText({ model, tools: guardTools(tools), prompt: "x", stopWhen }));
  expect(seen(model)).toEqual([expect.stringContaining("It cannot wait here")]);
  expect(await behest.approvals.list()).toEqual([]);
  expect(did).toEqual([]);
  await behest.close();
});
