// What behestMiddleware adds to a tool call of a LangChain agent.
import { behestMiddleware } from "@behest/langchain";
import { testBehest } from "@behest/core/testing";
import { type AatTools, is } from "@behest/delegation";
import { generatePrivateJwk, signerOf, utf8 } from "@behest/jws";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { BaseMessage } from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";
import { AIMessage, createAgent, tool } from "langchain";
import { z } from "zod";
import { type Figure, atMost, cpuOf, median } from "./figure.ts";

/** Tool calls of one conversation: its history is given to the model, and recorded, again at each turn. */
const CALLS = 10;
const ROUNDS = 360;
/** Long enough for a process that has served for a while: until then the engine still compiles what it runs. */
const WARM = 300;

const allowed: AatTools = {
  send_mail: { to: is.email("@example.com").constraint, subject: is.any.constraint, body: is.any.constraint },
};
const sendMail = tool(async ({ to }) => `sent to ${to}`, {
  name: "send_mail",
  description: "Sends a mail",
  schema: z.object({ to: z.string(), subject: z.string(), body: z.string() }),
});

/** Calls the tool CALLS times, one call a turn, then answers; the same for both agents. */
class Scripted extends BaseChatModel {
  override _llmType(): string {
    return "scripted";
  }
  override bindTools(): this {
    return this;
  }
  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const n = messages.filter(({ type }) => type === "tool").length;
    const args = {
      to: "bob@example.com",
      subject: `figures ${n}`,
      body: "as promised, the figures for this week",
    };
    const calls = n < CALLS ? [{ id: `call_${n}`, name: "send_mail", args, type: "tool_call" as const }] : [];
    const message = new AIMessage({ content: n < CALLS ? "" : "done", tool_calls: calls });
    return { generations: [{ message, text: message.text }] };
  }
}

/** CPU time that Behest adds to a tool call and its model turn ÷ 5 signatures; memory store, content as digests, everything signed. */
export async function overheadLangchain(): Promise<Figure> {
  await using behest = await testBehest({ policy: "grants-alone" });
  const bare = createAgent({ model: new Scripted({}), tools: [sendMail] });
  const guarded = createAgent({ model: new Scripted({}), tools: [sendMail], middleware: behestMiddleware() });
  const input = { messages: [{ role: "user", content: "Send the figures" }] };
  const options = { recursionLimit: 4 * CALLS };
  const signer = signerOf(await generatePrivateJwk());
  const message = utf8("x".repeat(1000));

  const rounds: { bare: number; guarded: number; five: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const session = await behest.as("alice", allowed);
    const alone = (): Promise<number> => cpuOf(() => bare.invoke(input, options));
    const inside = (): Promise<number> => cpuOf(() => session.run(() => guarded.invoke(input, options)));
    // Whoever is second finds warmer caches: take turns.
    const first = round % 2 ? await alone() : await inside();
    const second = round % 2 ? await inside() : await alone();
    const [without, withIt] = round % 2 ? [first, second] : [second, first];
    const signatures = await cpuOf(() => {
      for (let i = 0; i < 5 * CALLS; i++) void signer.sign(message);
    });
    rounds.push({ bare: without / CALLS, guarded: withIt / CALLS, five: signatures / CALLS });
  }
  const measured = rounds.slice(WARM);
  const ratio = median(measured.map((r) => (r.guarded - r.bare) / r.five));
  const beside = {
    "bare µs": Math.round(median(measured.map((r) => r.bare))),
    "added µs": Math.round(median(measured.map((r) => r.guarded - r.bare))),
    "5 signatures µs": Math.round(median(measured.map((r) => r.five))),
  };
  return atMost("overhead-langchain", ratio, "ratio", 2.5, beside);
}
