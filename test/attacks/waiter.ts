// An agent that makes one payment, which a person has to approve, as a process of its own: says when it waits, goes
// on when it is told to, and says how it ended. Arguments: a folder with what deployment() left there, and a framework.
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { guard, pendingApprovals as aiPending, resume as aiResume } from "@behest/ai-sdk";
import { createBehest, sqliteStore } from "@behest/core";
import { holderOf } from "@behest/delegation";
import { signerOf } from "@behest/jws";
import { behestMiddleware, pendingApprovals, resume } from "@behest/langchain";
import { MemorySaver } from "@langchain/langgraph";
import { type ModelMessage, generateText, isStepCount, tool as aiTool } from "ai";
import { AIMessage, createAgent, tool } from "langchain";
import { z } from "zod";
import { fake } from "../../packages/ai-sdk/test/fake.ts";
import { ask, calling, deciding, told } from "../../packages/langchain/test/support.ts";
import { contained } from "./deployment.ts";

const [folder = "", framework] = process.argv.slice(2);
const { owner, manifest, enforcer, holder, delegation } = JSON.parse(
  readFileSync(join(folder, "deployment.json"), "utf8"),
);
const behest = await createBehest({
  trust: { owner, manifest },
  signer: signerOf(enforcer),
  holder: holderOf(holder),
  store: sqliteStore(join(folder, "store", "log.sqlite")),
  policy: "default",
});
const session = await behest.open(delegation.token, { run: "chat-1" });
const inputSchema = z.object({ amount: z.number() });
const pay = async ({ amount }: { amount: number }): Promise<string> => {
  appendFileSync(join(folder, "paid"), `${amount}\n`);
  return "paid";
};

/** Pays until it waits; then a function that goes on, once. */
const { waits, goOn } = await (framework === "langchain" ? withLangChain() : withAiSdk());
console.log(JSON.stringify({ waits }));
const orders = createInterface({ input: process.stdin });
for await (const order of orders) {
  if (order === "close") await behest.close();
  else break;
}
orders.close();
const answer = await goOn().catch((error: unknown) => codesOf(error));
console.log(JSON.stringify({ answer }));
process.exit(0);

async function withLangChain() {
  const model = deciding((messages) => {
    const results = told(messages);
    return results.length > 0
      ? new AIMessage(results.join("; "))
      : calling({ name: "pay", args: { amount: 5 } });
  });
  const agent = createAgent({
    model,
    tools: [contained(tool(pay, { name: "pay", description: "d", schema: inputSchema }))],
    middleware: behestMiddleware(),
    checkpointer: new MemorySaver(),
  });
  const config = { configurable: { thread_id: "thread-1" } };
  const asks = pendingApprovals(await session.run(() => agent.invoke(ask("go"), config)));
  const goOn = async () =>
    (await session.run(() => agent.invoke(resume(asks) as never, config))).messages.at(-1)!.text;
  return { waits: asks.length, goOn };
}

async function withAiSdk() {
  const tools = { pay: contained(aiTool({ inputSchema, execute: pay })) };
  const run = (messages: ModelMessage[]) =>
    generateText(
      guard(
        {
          model: fake([["pay", { amount: 5 }, "c0"]], "done"),
          tools,
          messages,
          stopWhen: isStepCount(5),
          maxRetries: 0,
        },
        session,
      ),
    );
  const user: ModelMessage = { role: "user", content: "x" };
  const first = await run([user]);
  const asks = aiPending(first);
  const goOn = async () => {
    const { text, content } = await run([user, ...first.responseMessages, ...aiResume(asks)]);
    return text || JSON.stringify(content);
  };
  return { waits: asks.length, goOn };
}

/** Of an error and its causes. */
function codesOf(error: unknown): string {
  const codes: string[] = [];
  for (let at = error as { code?: unknown; cause?: unknown } | undefined; at; at = at.cause as typeof at)
    codes.push(String(at.code ?? at));
  return `refused: ${codes.join(" < ")}`;
}
