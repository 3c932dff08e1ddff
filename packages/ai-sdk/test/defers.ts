// For tests: one process of a deployment over a folder, whose agent does not wait for the person who has to approve its
// payment. `defers.ts <folder> first|dies|second`: hangs in its second turn, to be killed; the same, and is killed while
// it pays; goes on to the end, and waits for what was deferred.
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ModelMessage, generateText, isStepCount, tool } from "ai";
import { z } from "zod";
import { createBehest, sqliteStore, withProfile } from "@behest/core";
import { holderOf } from "@behest/delegation";
import { signerOf } from "@behest/jws";
import { delivered, guard } from "../src/index.ts";
import { asked, fake } from "./fake.ts";
import type { Setup } from "./setup.ts";

const [folder = "", step] = process.argv.slice(2);
const { trust, enforcer, holder, root } = JSON.parse(
  await readFile(join(folder, "setup.json"), "utf8"),
) as Setup;
const note = (line: string): Promise<void> => appendFile(join(folder, "notes"), `${line}\n`);

const behest = await createBehest({
  trust,
  signer: signerOf(enforcer),
  holder: holderOf(signerOf(holder)),
  store: sqliteStore(join(folder, "log.db")),
  policy: "grants-alone",
});
const pay = tool({
  inputSchema: z.object({ amount: z.number() }),
  execute: async ({ amount }) => {
    await note(`paid ${amount}`);
    if (step === "dies") process.kill(process.pid, "SIGKILL");
    return "paid";
  },
});
const look = withProfile(
  tool({
    inputSchema: z.object({}),
    execute: async () => {
      if (step === "second") return "seen";
      await note("hangs");
      setInterval(() => {}, 1000);
      return new Promise<string>(() => {});
    },
  }),
  { effect: "read", boundary: "inside" },
);
const model = fake([["pay", { amount: 5 }]], [["look", {}]], "done");
const messages: ModelMessage[] = [{ role: "user", content: "x" }];
const session = await behest.open(root, { run: "chat-1", waiting: "defer" });
const settings = { model, tools: { pay, look }, messages, stopWhen: isStepCount(5) };
const result = await generateText(guard(settings, session));
const outcomes = await Promise.all(session.deferred().map(({ outcome }) => outcome));
const told = await delivered(session, { pay }, [...messages, ...result.responseMessages]);
console.log(
  JSON.stringify({
    asked: asked(model),
    outcomes: outcomes.map((one) => ("code" in one ? one.code : one.outcome)),
    told: told.map(({ content }) => content),
  }),
);
await behest.close();
