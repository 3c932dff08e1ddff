// What guard() adds to a tool call of generateText.
import type { LanguageModelV4, LanguageModelV4GenerateResult } from "@ai-sdk/provider";
import { guard } from "@behest/ai-sdk";
import { testBehest } from "@behest/core/testing";
import { type AatTools, is } from "@behest/delegation";
import { generatePrivateJwk, signerOf, utf8 } from "@behest/jws";
import { generateText, isStepCount, tool } from "ai";
import { z } from "zod";
import { type Figure, atMost, cpuOf, median } from "./figure.ts";

const CALLS = 20;
const ROUNDS = 240;
/** Long enough for a process that has served for a while: until then the engine still compiles what it runs. */
const WARM = 200;

const allowed: AatTools = {
  send_mail: { to: is.email("@example.com").constraint, subject: is.any.constraint, body: is.any.constraint },
};
const tools = {
  send_mail: tool({
    description: "Sends a mail",
    inputSchema: z.object({ to: z.string(), subject: z.string(), body: z.string() }),
    execute: async ({ to }) => `sent to ${to}`,
  }),
};

/** Calls the tool CALLS times, one call a turn, then answers; the same with and without us. */
const model: LanguageModelV4 = {
  specificationVersion: "v4",
  provider: "scripted",
  modelId: "scripted",
  supportedUrls: {},
  async doGenerate({ prompt }) {
    const n = prompt.filter(({ role }) => role === "tool").length;
    const args = {
      to: "bob@example.com",
      subject: `figures ${n}`,
      body: "as promised, the figures for this week",
    };
    return n < CALLS
      ? answer(
          [
            {
              type: "tool-call",
              toolCallId: `call_${n}`,
              toolName: "send_mail",
              input: JSON.stringify(args),
            },
          ],
          "tool-calls",
        )
      : answer([{ type: "text", text: "done" }], "stop");
  },
  doStream: () => Promise.reject(new Error("not streamed here")),
};

function answer(
  content: LanguageModelV4GenerateResult["content"],
  unified: "tool-calls" | "stop",
): LanguageModelV4GenerateResult {
  const inputTokens = { total: 100, noCache: undefined, cacheRead: undefined, cacheWrite: undefined };
  const outputTokens = { total: 30, text: undefined, reasoning: undefined };
  return {
    content,
    finishReason: { unified, raw: unified },
    usage: { inputTokens, outputTokens },
    warnings: [],
  };
}

/** CPU time that Behest adds to a tool call and its model turn ÷ 5 signatures; memory store, content as digests, everything signed. */
export async function overheadAiSdk(): Promise<Figure> {
  await using behest = await testBehest({ policy: "grants-alone" });
  const settings = { model, tools, prompt: "Send the figures", stopWhen: isStepCount(CALLS + 1) };
  const signer = signerOf(await generatePrivateJwk());
  const message = utf8("x".repeat(1000));

  const rounds: { bare: number; guarded: number; five: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const session = await behest.as("alice", allowed);
    const without = await cpuOf(() => generateText(settings));
    const withIt = await cpuOf(() => session.run(() => generateText(guard(settings))));
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
  return atMost("overhead-ai-sdk", ratio, "ratio", 2.5, beside);
}
