// A LangChain agent, three lines more than before.
import { readFile } from "node:fs/promises";
import { createAgent } from "langchain";
import { createBehest } from "@behest/core";
import { behestMiddleware } from "@behest/langchain";
import { messages, model, tools } from "./office.ts"; // your agent; each tool says what it can do

await using behest = await createBehest(); // keys and log: .behest/
const agent = createAgent({ model, tools, middleware: behestMiddleware() });
const session = await behest.open(await readFile("alice.json", "utf8")); // what Alice signed

await session.run(() => agent.invoke({ messages }));
for (const { principal, agent, tool, verdict, code } of await behest.records.list({ session }))
  console.log(principal, agent, tool, verdict, code); // at whose behest, who, what, allowed?, why
