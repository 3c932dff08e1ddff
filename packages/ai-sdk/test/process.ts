// For tests: one process of a deployment over a folder. `process.ts <folder> start|resume|approve`.
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ModelMessage, generateText, isStepCount, tool } from "ai";
import { z } from "zod";
import { type Ask, createBehest, signDecision, sqliteStore } from "@behest/core";
import { holderOf } from "@behest/delegation";
import { signerOf } from "@behest/jws";
import { guard, pendingApprovals, resume } from "../src/index.ts";
import { fake } from "./fake.ts";
import type { Setup } from "./setup.ts";

interface Thread {
  readonly messages: ModelMessage[];
  readonly asks: Ask[];
}

const [folder = "", role] = process.argv.slice(2);
const read = async <T>(name: string): Promise<T> =>
  JSON.parse(await readFile(join(folder, name), "utf8")) as T;

const { trust, enforcer, holder, approver, root } = await read<Setup>("setup.json");
const behest = await createBehest({
  trust,
  signer: signerOf(enforcer),
  holder: holderOf(signerOf(holder)),
  store: sqliteStore(join(folder, "log.db")),
  policy: "grants-alone",
});

if (role === "approve")
  for (const one of await behest.approvals.list({ group: "finance" }))
    await behest.approvals.submit(
      one.id,
      await signDecision(one, { decision: "approve" }, signerOf(approver)),
    );
else {
  const { messages, asks }: Thread =
    role === "resume" ? await read("thread.json") : { messages: [{ role: "user", content: "x" }], asks: [] };
  const pay = tool({
    inputSchema: z.object({ amount: z.number() }),
    execute: async ({ amount }) => {
      await appendFile(join(folder, "paid"), `${amount}\n`);
      return "paid";
    },
  });
  const session = await behest.open(root, { run: "chat-1" });
  const settings = {
    model: fake([["pay", { amount: 5 }]], "done"),
    tools: { pay },
    messages: [...messages, ...resume(asks)],
    stopWhen: isStepCount(5),
  };
  const result = await generateText(guard(settings, session));
  const thread: Thread = {
    messages: [...messages, ...result.responseMessages],
    asks: pendingApprovals(result),
  };
  if (role === "start") await writeFile(join(folder, "thread.json"), JSON.stringify(thread));
  console.log(result.text === "" ? "waits" : result.text);
  // Killed while it waits: nothing is closed in good order.
  if (role === "start") setInterval(() => {}, 1000);
}
if (role !== "start") await behest.close();
