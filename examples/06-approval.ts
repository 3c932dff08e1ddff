// A mail waits for a person: the run pauses, somebody approves it in another terminal, and the run goes on.
import { readFile } from "node:fs/promises";
import { MemorySaver } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { createBehest } from "@behest/core";
import { grants, is } from "@behest/delegation";
import { behestMiddleware, pendingApprovals, resume } from "@behest/langchain";
import { inAnotherTerminal, messages, model, tools } from "./office.ts";

await using behest = await createBehest();
const agent = createAgent({ model, tools, middleware: behestMiddleware(), checkpointer: new MemorySaver() });
const thread = { configurable: { thread_id: "friday" } };

const alice = await behest.open(await readFile("alice.json", "utf8"), { run: `friday-${process.pid}` });
const session = await alice.delegate({
  tools: grants(tools, {
    read_file: { path: is.under("/notes") },
    send_mail: { to: is.email("@example.com"), subject: is.any, body: is.any },
  }),
  approvals: { send_mail: { approvers: 1 } }, // one person of this group, for each mail
});

const paused = await session.run(() => agent.invoke({ messages }, thread));
const asks = pendingApprovals(paused);
for (const { tool } of asks) console.log(`${tool} waits`);

for (const { approval } of asks) inAnotherTerminal("approve", approval, "--yes");
await behest.approvals.settled(asks);

await session.run(() => agent.invoke(resume(asks), thread));
for (const { tool, verdict, code } of await behest.records.list({ session }))
  console.log(tool, verdict, code);
