// The same with the Vercel AI SDK: `guard` around the settings. The difference to 01 is the agent.
import { readFile } from "node:fs/promises";
import { generateText, isStepCount } from "ai";
import { guard } from "@behest/ai-sdk";
import { createBehest } from "@behest/core";
import { aiModel as model, aiTools as tools, messages } from "./office.ts";

await using behest = await createBehest();
const session = await behest.open(await readFile("alice.json", "utf8"));

const { text } = await generateText(guard({ model, tools, messages, stopWhen: isStepCount(10) }, session));
console.log(text);
for (const { principal, agent, tool, verdict, code } of await behest.records.list({ session }))
  console.log(principal, agent, tool, verdict, code);
