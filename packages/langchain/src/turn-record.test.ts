import { type Store, memoryStore, readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { AIMessage, createAgent } from "langchain";
import { getContextVariable } from "@langchain/core/context";
import { expect, test } from "vitest";
import { ManyModel, ask, calling, mailer } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";
import { granted } from "../test/taken-up.ts";

test("a turn is recorded with model, prompt, tools, reasoning, alternatives, and the actions it led to", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const { sendMail } = mailer();
  const chosen = calling({ name: "send_mail", args: { to: "bob@example.com" } });
  chosen.content = [{ type: "reasoning", reasoning: "bob asked" }];
  chosen.response_metadata = { model_name: "model-7" };
  const model = new ManyModel([[chosen, new AIMessage("the road not taken")], [new AIMessage("done")]]);
  const agent = createAgent({
    model,
    tools: [sendMail],
    systemPrompt: "Be kind.",
    middleware: behestMiddleware(),
  });
  const session = await behest.as("alice", granted);
  await session.run(() => agent.invoke(ask("go")));

  const [first, second] = await interactions(store);
  const action = (await behest.records.list())[0]?.action;
  expect(first).toMatchObject({ model: "model-7", provider: "many", calls: [{ action, tool: "send_mail" }] });
  const parts = (entry: Interaction) => Object.keys(entry.content).toSorted();
  expect(parts(first!)).toEqual(["alternatives", "instruction", "reasoning", "response", "system", "tools"]);
  expect(second).toMatchObject({ model: "many-1", calls: [] });
  expect(parts(second!)).toEqual(["instruction", "response", "system", "tools"]);
  expect(getContextVariable("behest_candidates")).toBeUndefined();
});

interface Interaction {
  readonly model: string;
  readonly content: object;
}

async function interactions(store: Store): Promise<Interaction[]> {
  const found: Interaction[] = [];
  for await (const jws of readStore(store).entries()) {
    const payload = JSON.parse(Buffer.from(jws.split(".")[1]!, "base64url").toString()) as { type: string };
    if (payload.type === "interaction") found.push(payload as never);
  }
  return found;
}
