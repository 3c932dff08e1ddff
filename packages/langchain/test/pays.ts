// An agent that pays, as a process of its own, so that it can be killed. Arguments: a folder with what
// deployment() left there, and where to die: "while" paying, "after" it, or "never".
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createBehest, sqliteStore, withProfile } from "@behest/core";
import { holderOf } from "@behest/delegation";
import { signerOf } from "@behest/jws";
import { behestMiddleware, subagentTool } from "@behest/langchain";
import { AIMessage, createAgent, tool } from "langchain";
import { z } from "zod";
import { SqliteSaver } from "../../../test/support/sqlite-saver.ts";
import { ask, calling, deciding } from "./support.ts";

const [folder, when] = process.argv.slice(2) as [string, string];
const at = (name: string): string => join(folder, name);
const { owner, manifest, enforcer, holder, delegation } = JSON.parse(
  readFileSync(at("deployment.json"), "utf8"),
);
const note = (line: string): void => appendFileSync(at("notes"), `${line}\n`);
const die = (now: boolean): void => void (now && process.kill(process.pid, "SIGKILL"));

const behest = await createBehest({
  trust: { owner, manifest },
  signer: signerOf(enforcer),
  holder: holderOf(holder),
  store: sqliteStore(at("log.sqlite")),
  policy: "grants-alone",
});
const pay = tool(
  async ({ amount }) => {
    note(`paid ${amount}`);
    die(when === "while");
    return `paid ${amount}`;
  },
  { name: "pay", description: "d", schema: z.object({ amount: z.number() }) },
);
const check = withProfile(
  tool(async () => (die(when === "after"), "fine"), {
    name: "check",
    description: "d",
    schema: z.object({}),
  }),
  { effect: "read", boundary: "inside" },
);

/** pay, then check, then done; each asking of a model is noted, and makes fresh call ids. */
const model = (who: string) =>
  deciding((messages) => {
    note(`${who} asked`);
    const results = messages.filter(({ type }) => type === "tool").length;
    if (who === "root")
      return results > 0 ? new AIMessage(messages.at(-1)!.text) : calling({ name: "spend", args: {} });
    if (results > 1)
      return new AIMessage(
        messages
          .filter(({ type }) => type === "tool")
          .map(({ text }) => text)
          .join(", "),
      );
    return results > 0 ? calling({ name: "check", args: {} }) : calling({ name: "pay", args: { amount: 5 } });
  });
const child = createAgent({ model: model("child"), tools: [pay, check], middleware: behestMiddleware() });
const spend = subagentTool({
  name: "spend",
  description: "d",
  schema: z.object({}),
  delegate: { tools: delegation.tools },
  run: async () => (await child.invoke(ask("pay"))).messages.at(-1)!.text,
});

/** LangGraph's default durability writes behind the run's back: here so slowly that a killed run leaves nothing. */
class SlowSaver extends SqliteSaver {
  override async put(...checkpoint: Parameters<SqliteSaver["put"]>) {
    await new Promise((resolve) => setTimeout(resolve, when === "never" ? 0 : 60_000));
    return super.put(...checkpoint);
  }
}
const checkpointer = new SlowSaver(at("graph.sqlite"));
const agent = createAgent({
  model: model("root"),
  tools: [spend],
  middleware: behestMiddleware(),
  checkpointer,
});
const session = await behest.open(delegation.token);
const { messages } = await session.run(() =>
  agent.invoke(ask("go"), { configurable: { thread_id: "thread-1" } }),
);
console.log(JSON.stringify({ answer: messages.at(-1)!.text }));
await behest.close();
