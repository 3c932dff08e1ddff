import { ToolLoopAgent, generateText, isStepCount } from "ai";
import { MockProviderV4 } from "ai/test";
import { afterEach, expect, test } from "vitest";
import { testBehest } from "@behest/core/testing";
import { grants, is } from "@behest/delegation";
import { asked, fake, seen, toolbox } from "../test/fake.ts";
import { guard, guardTools } from "./index.ts";

const stopWhen = isStepCount(5);
const { tools: named } = toolbox();
const allowed = grants(named, { pay: { amount: is.atMost(50), currency: "EUR" }, read_file: true });

afterEach(() => {
  delete globalThis.AI_SDK_DEFAULT_PROVIDER;
});

test("a model that prepareStep answers is guarded too", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]]);
  const other = fake("unused", [["drop_table", { name: "users" }]], "done");
  const seenModels = new Set<unknown>();
  const settings = guard({
    model,
    tools,
    prompt: "x",
    stopWhen,
    prepareStep: ({ stepNumber, model: current, messages }) => {
      seenModels.add(current);
      return stepNumber === 0
        ? undefined
        : { model: stepNumber === 1 ? other : current, messages, activeTools: ["drop_table", "pay"] };
    },
  });
  await session.run(() => generateText(settings));
  expect(did).toEqual(["pay 5 EUR"]);
  expect(seenModels.size).toBe(1);
  expect(other.doGenerateCalls[0]!.tools!.map(({ name }) => name)).toEqual(["pay"]);
  await expect(
    generateText({ ...settings, prepareStep: () => ({ model: guard({ model: other }).model }) }),
  ).rejects.toThrow("no_session");
});

test("model, tools and approval that prepareCall answers are guarded too", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const swapped = toolbox();
  const other = fake(
    [
      ["pay", { amount: 5 }, "c0"],
      ["drop_table", { name: "users" }, "c1"],
      ["read_file", { path: "a" }, "c2"],
    ],
    "done",
  );
  const agent = new ToolLoopAgent(
    guard({
      model: fake("not asked"),
      tools,
      prepareCall: ({ ...rest }) => ({
        ...rest,
        model: other,
        tools: swapped.tools,
        toolApproval: { read_file: "denied" as const },
        prepareStep: () => ({ activeTools: ["pay", "drop_table", "read_file"] }),
      }),
    }),
  );
  await session.run(() => agent.generate({ prompt: "x" }));
  expect(did).toEqual([]);
  expect(swapped.did).toEqual(["pay 5 EUR"]);
  expect(seen(other)).toEqual(["paid 5", expect.stringContaining("not delegated"), "execution-denied"]);
});

test("settings are not changed, and guarding twice wraps once", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const settings = Object.freeze({ model, tools: Object.freeze(tools), prompt: "x", stopWhen });
  const once = guard(settings);
  const twice = guard(guard({ ...once, tools: guardTools(once.tools) }), session);
  expect(settings).toEqual({ model, tools, prompt: "x", stopWhen });
  await generateText(twice);
  expect(did).toEqual(["pay 5 EUR"]);
  expect(await behest.records.list()).toHaveLength(1);
  expect(asked(model)).toBe(2);
});

test("a tool that was put beside the guarded ones is not offered: the call is refused", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const settings = guard({ model, tools, prompt: "x", stopWhen }, session);
  // Same names, bodies that were never guarded.
  for (const raw of [{ ...settings.tools, extra: tools.pay }, tools])
    await expect(generateText({ ...settings, tools: raw as typeof tools })).rejects.toMatchObject({
      code: "tool_unguarded",
    });
  expect(asked(model)).toBe(0);
  expect(did).toEqual([]);
  await generateText({ ...settings, tools: guardTools(tools, session) });
  expect(did).toEqual(["pay 5 EUR"]);
});

test("the user's own toolApproval stays what it was, as a map, as a function, and on the tool", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const pause = await generateText(
    guard({ model, tools, prompt: "x", stopWhen, toolApproval: { pay: "user-approval" } }, session),
  );
  expect(pause.steps[0]!.content.at(-1)).toMatchObject({ type: "tool-approval-request" });
  const no = await generateText(
    guard(
      {
        model,
        tools,
        prompt: "x",
        stopWhen,
        toolApproval: ({ toolCall }) => ({ type: "denied", reason: toolCall.toolName }),
      },
      session,
    ),
  );
  expect(no.steps[0]!.content.find((part) => part.type === "tool-approval-response")).toMatchObject({
    approved: false,
    reason: "pay",
  });
  const asking = { ...tools, pay: { ...tools.pay, needsApproval: true } };
  const own = await generateText(guard({ model, tools: asking, prompt: "x", stopWhen }, session));
  expect(own.steps[0]!.content.at(-1)).toMatchObject({ type: "tool-approval-request" });
  expect(did).toEqual([]);
});

test("a string id is resolved at the call, under the provider of that moment", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const agent = new ToolLoopAgent(guard({ model: "openai/gpt-5", tools }));
  const model = fake([["pay", { amount: 5 }]], "done");
  globalThis.AI_SDK_DEFAULT_PROVIDER = new MockProviderV4({ languageModels: { "openai/gpt-5": model } });
  const result = await session.run(() => agent.generate({ prompt: "x" }));
  expect(result.text).toBe("done");
  expect(result.steps[0]!.model).toEqual({ provider: model.provider, modelId: model.modelId });
  expect(did).toEqual(["pay 5 EUR"]);
});

test("a guarded tool that is handed on under another name answers to that name", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools, did } = toolbox();
  const { pay } = guardTools(tools, session);
  const model = fake([["refund", { amount: 5 }]], "done");
  await generateText(guard({ model, tools: { refund: pay }, prompt: "x", stopWhen }, session));
  expect(seen(model)).toEqual([expect.stringContaining("refund: this tool was not delegated")]);
  expect(did).toEqual([]);
});

test("a call of a tool that there is not is recorded, without the name that the model made up", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", allowed);
  const { tools } = toolbox();
  const model = fake([["alice_s_password_is_hunter2", {}]], "done");
  await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  expect((await behest.records.list()).map(({ tool, verdict, code }) => [tool, verdict, code])).toEqual([
    ["(unnamed)", "deny", "tool_not_granted"],
  ]);
});

test("a session that was given stays, however often what it was given to is guarded again", async () => {
  await using behest = await testBehest();
  const [alice, bob] = [await behest.as("alice", allowed), await behest.as("bob", allowed)];
  const { tools } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const given = guard({ model, tools, prompt: "x", stopWhen }, alice);
  await generateText(guard(given));
  await generateText(guard(given, bob));
  await bob.run(() => generateText(guard({ ...given, prompt: "y" })));
  const agent = new ToolLoopAgent(guard(guard({ model: given.model, tools: given.tools }), bob));
  await agent.generate({ prompt: "z" });
  await generateText(guard({ model: given.model, prompt: "w" }));
  const records = await behest.records.list();
  // The last of them has no tools, so its call of one is refused.
  expect(records.map(({ principal, verdict }) => `${principal} ${verdict}`)).toEqual([
    ...Array.from({ length: 4 }, () => "alice permit"),
    "alice deny",
  ]);
});
