// An agent whose sub-agent pays, which a person has to approve, as a process of its own. Arguments: a folder with
// what deployment() left there, and "start", "killed" (started, and killed once it waits) or "resume".
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createBehest, sqliteStore } from "@behest/core";
import { holderOf } from "@behest/delegation";
import { signerOf } from "@behest/jws";
import { behestMiddleware, pendingApprovals, resume, subagentTool } from "@behest/langchain";
import { AIMessage, createAgent, tool } from "langchain";
import { z } from "zod";
import { SqliteSaver } from "../../../test/support/sqlite-saver.ts";
import { ask, calling, deciding, told } from "./support.ts";

const [folder, step] = process.argv.slice(2) as [string, "start" | "killed" | "resume"];
const at = (name: string): string => join(folder, name);
const { owner, manifest, enforcer, holder, delegation } = JSON.parse(
  readFileSync(at("deployment.json"), "utf8"),
);
const note = (line: string): void => appendFileSync(at("notes"), `${line}\n`);

const behest = await createBehest({
  trust: { owner, manifest },
  signer: signerOf(enforcer),
  holder: holderOf(holder),
  store: sqliteStore(at("log.sqlite")),
  policy: "grants-alone",
});
const pay = tool(async ({ amount }) => (note(`paid ${amount}`), `paid ${amount}`), {
  name: "pay",
  description: "d",
  schema: z.object({ amount: z.number(), nonce: z.number().default(Math.random) }),
});
const look = tool(async () => (note("looked"), "seen"), {
  name: "look",
  description: "d",
  schema: z.object({}),
});

/** Each asking of a model is noted, and makes fresh call ids. */
const model = (who: string, ...calls: Parameters<typeof calling>) =>
  deciding((messages) => {
    note(`${who} asked`);
    const results = told(messages);
    return results.length > 0 ? new AIMessage(results.join(", ")) : calling(...calls);
  });
const payments = [
  { name: "look", args: {} },
  { name: "pay", args: { amount: 1 } },
  { name: "pay", args: { amount: 2 } },
];
const child = createAgent({
  model: model("child", ...payments),
  tools: [pay, look],
  middleware: behestMiddleware(),
});
const spend = subagentTool({
  name: "spend",
  description: "d",
  schema: z.object({}),
  delegate: { tools: delegation.tools },
  run: async () => (await child.invoke(ask("pay"))).messages.at(-1)!.text,
});

/** So slow that a process that is killed leaves no checkpoint. */
class SlowSaver extends SqliteSaver {
  override async put(...checkpoint: Parameters<SqliteSaver["put"]>) {
    await setTimeout(step === "killed" ? 60_000 : 0);
    return super.put(...checkpoint);
  }
}
const checkpointer = new SlowSaver(at("graph.sqlite"));
const middleware = behestMiddleware();
const agent = createAgent({
  model: model("root", { name: "spend", args: {} }),
  tools: [spend],
  middleware,
  checkpointer,
});
const config = { configurable: { thread_id: "thread-1" } };
const session = await behest.open(delegation.token);

if (step === "killed") {
  const killed = async (): Promise<never> => {
    for (;;) {
      const [looked] = await behest.records.list({ tool: "look" });
      const waiting = await behest.approvals.list();
      if (waiting.length === 2 && looked?.outcome === "done") process.kill(process.pid, "SIGKILL");
      await setTimeout(5);
    }
  };
  void killed();
}
const input = step === "resume" ? resume(pendingApprovals(await agent.graph.getState(config))) : ask("go");
const result = await session.run(() => agent.invoke(input as never, config));
console.log(JSON.stringify({ answer: result.messages.at(-1)!.text, asks: pendingApprovals(result) }));
await behest.close();
