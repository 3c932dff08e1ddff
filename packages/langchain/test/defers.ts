// An agent that does not wait for the person who has to approve its payment, as a process of its own. Arguments: a
// folder with what deployment() left there, and "first" (hangs in its second turn, to be killed), "dies" (the same, and
// is killed while it pays) or "second" (goes on to the end, then waits for what was deferred).
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createBehest, sqliteStore, withProfile } from "@behest/core";
import { holderOf } from "@behest/delegation";
import { signerOf } from "@behest/jws";
import { behestMiddleware, delivered } from "@behest/langchain";
import { AIMessage, createAgent, tool } from "langchain";
import { z } from "zod";
import { ask, calling, deciding, told } from "./support.ts";

const [folder, step] = process.argv.slice(2) as [string, "first" | "dies" | "second"];
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
const pay = tool(
  async ({ amount }) => {
    note(`paid ${amount}`);
    if (step === "dies") process.kill(process.pid, "SIGKILL");
    return `paid ${amount}`;
  },
  {
    name: "pay",
    description: "d",
    schema: z.object({ amount: z.number(), nonce: z.number().default(Math.random) }),
  },
);
const look = withProfile(
  tool(
    async () => {
      if (step === "second") return "seen";
      note("hangs");
      // Something must keep the process.
      setInterval(() => {}, 1000);
      return new Promise<never>(() => {});
    },
    { name: "look", description: "d", schema: z.object({}) },
  ),
  { effect: "read", boundary: "inside" },
);

const model = deciding((messages) => {
  note("asked");
  const results = told(messages);
  if (results.length === 0) return calling({ name: "pay", args: { amount: 5 } });
  return results.length === 1 ? calling({ name: "look", args: {} }) : new AIMessage(results.join("; "));
});
const session = await behest.open(delegation.token, { run: "thread-1", waiting: "defer" });
const agent = createAgent({ model, tools: [pay, look], middleware: behestMiddleware() });
const { messages } = await session.run(() => agent.invoke(ask("go")));
const outcomes = await Promise.all(session.deferred().map(({ outcome }) => outcome));
const next = await delivered(session, [pay], messages);
console.log(
  JSON.stringify({
    answer: messages.at(-1)!.text,
    outcomes: outcomes.map((one) => ("code" in one ? one.code : one.outcome)),
    told: next.map(({ text }) => text),
  }),
);
await behest.close();
