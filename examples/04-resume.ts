// A run with a durable id that fails half-way goes on where it stopped: no model turn and no tool twice.
import { readFile } from "node:fs/promises";
import { createAgent, tool } from "langchain";
import { z } from "zod";
import { createBehest, withProfile } from "@behest/core";
import { behestMiddleware } from "@behest/langchain";
import { mailing, messages, scripted } from "./office.ts";

const delegation = await readFile("alice.json", "utf8");
const run = `friday-${process.pid}`; // your chat or thread id
let sent = 0;
let down = true;
const send = withProfile(
  tool(async ({ to }) => `${++sent} mail(s) sent to ${to}`, {
    name: "send_mail",
    description: "Sends a mail",
    schema: z.object({ to: z.string(), subject: z.string(), body: z.string() }),
  }),
  mailing,
);
const mail = {
  name: "send_mail",
  args: { to: "bob@example.com", subject: "Friday", body: "It will be there." },
};
const model = scripted([mail as never]);
const asked = (): number => model.callCount;

const attempt = async (): Promise<void> => {
  await using behest = await createBehest();
  const session = await behest.open(delegation, { run });
  const agent = createAgent({ model, tools: [send], middleware: behestMiddleware() });
  await session.run(async () => {
    await agent.invoke({ messages });
    if (down) throw new Error("the machine went down");
  });
};

await attempt().catch((error: Error) => console.log(error.message));
down = false;
await attempt();
console.log(`asked ${asked()} times, ${sent} mail sent`);
