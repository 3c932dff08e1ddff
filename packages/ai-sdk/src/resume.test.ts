import { ToolLoopAgent, generateText, isStepCount, streamText } from "ai";
import type { MockLanguageModelV4 } from "ai/test";
import { expect, test } from "vitest";
import type { Session } from "@behest/core";
import { grants } from "@behest/delegation";
import { type Turn, asked, fake, seen, toolbox } from "../test/fake.ts";
import { deploy, failing } from "../test/deployment.ts";
import { guard } from "./index.ts";

const stopWhen = isStepCount(5);
const { tools: named } = toolbox();
const allowed = grants(named, { pay: true, read_file: true });

const generate = async (settings: Parameters<typeof generateText>[0]): Promise<string> =>
  (await generateText(settings)).text;
const stream = async (settings: Parameters<typeof generateText>[0]): Promise<string> =>
  streamText({ ...settings, onError: () => {} } as Parameters<typeof streamText>[0]).text;

for (const [first, second] of [
  [generate, generate],
  [stream, stream],
  [stream, generate],
  [generate, stream],
] as const)
  test(`a run that broke off asks the model nothing twice and does nothing twice (${first === stream}, ${second === stream})`, async () => {
    await using deployment = await deploy(allowed);
    const { tools, did } = toolbox();
    const script: Turn[] = [
      [
        ["pay", { amount: 5 }],
        ["read_file", { path: "a" }],
      ],
      [["pay", { amount: 5 }]],
      "done",
    ];
    {
      await using behest = await deployment.start();
      const session = await deployment.open(behest);
      const model = failing(2, ...script);
      // A stream that fails does not reject: the run looks as if it went well.
      await session
        .run(() => first(guard({ model, tools, prompt: "x", stopWhen, maxRetries: 0 })))
        .catch(() => {});
      expect(asked(model)).toBe(2);
    }
    expect(did).toEqual(["pay 5 EUR", "read a", "pay 5 EUR"]);
    await using behest = await deployment.start();
    const session = await deployment.open(behest);
    const model = fake(...script);
    expect(await session.run(() => second(guard({ model, tools, prompt: "x", stopWhen })))).toBe("done");
    expect(asked(model)).toBe(1);
    expect(seen(model)).toEqual(["paid 5", "content of a", "paid 5"]);
    expect(did).toHaveLength(3);
  });

test("a stream that broke off is taken up by the very same session, and pays once", async () => {
  await using deployment = await deploy(allowed);
  await using behest = await deployment.start();
  const session = await deployment.open(behest);
  const { tools, did } = toolbox();
  const script: Turn[] = [[["pay", { amount: 5 }]], "done"];
  const model = failing(1, ...script);
  await session
    .run(() => stream(guard({ model, tools, prompt: "x", stopWhen, maxRetries: 0 })))
    .catch(() => {});
  expect(did).toEqual(["pay 5 EUR"]);
  const again = fake(...script);
  expect(await session.run(() => stream(guard({ model: again, tools, prompt: "x", stopWhen })))).toBe("done");
  expect(did).toEqual(["pay 5 EUR"]);
});

/** The ways to stream: the function given to `session.run` may be over long before the stream is. */
interface Basics {
  model: MockLanguageModelV4;
  tools: typeof named;
  maxRetries?: number;
  onError?: () => void;
}
const EARLY: {
  [how: string]: (session: Session, settings: Basics) => Promise<{ consumeStream(): PromiseLike<void> }>;
} = {
  "streamText, returned": async (session, s) =>
    session.run(() => streamText(guard({ ...s, prompt: "x", stopWhen }))),
  "streamText, guarded before": async (session, s) => {
    const settings = guard({ ...s, prompt: "x", stopWhen });
    return session.run(async () => streamText(settings));
  },
  "streamText, prompt apart": (session, s) =>
    session.run(async () => {
      const result = streamText({ ...guard(s), prompt: "x", stopWhen });
      await result.consumeStream();
      return result;
    }),
  "an agent's stream": (session, s) => session.run(() => new ToolLoopAgent(guard(s)).stream({ prompt: "x" })),
};

for (const [how, open] of Object.entries(EARLY)) {
  test(`a stream that broke off is taken up again: ${how}`, async () => {
    await using deployment = await deploy(allowed);
    const { tools, did } = toolbox();
    const script: Turn[] = [[["pay", { amount: 5 }]], [["pay", { amount: 5 }]], "done"];
    const settings = { tools, maxRetries: 0, onError: () => {} };
    for (const model of [failing(2, ...script), fake(...script)]) {
      await using behest = await deployment.start();
      const session = await deployment.open(behest);
      await (await open(session, { ...settings, model })).consumeStream();
      expect(did).toHaveLength(2);
      expect(asked(model)).toBeLessThanOrEqual(2);
    }
  });

  test(`a stream that ended well starts afresh when it is asked again: ${how}`, async () => {
    await using deployment = await deploy(allowed);
    const { tools, did } = toolbox();
    const model = fake([["pay", { amount: 5 }]], "done");
    for (const times of [1, 2]) {
      await using behest = await deployment.start();
      const session = await deployment.open(behest);
      await (await open(session, { model, tools })).consumeStream();
      expect(did).toHaveLength(times);
    }
  });
}

test("a run that is complete starts afresh when it is asked again", async () => {
  await using deployment = await deploy(allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  for (const times of [1, 2]) {
    await using behest = await deployment.start();
    const session = await deployment.open(behest);
    await session.run(() => generate(guard({ model, tools, prompt: "x", stopWhen })));
    expect(did).toHaveLength(times);
  }
});
