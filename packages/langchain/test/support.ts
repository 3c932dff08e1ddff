import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { ChatResult } from "@langchain/core/outputs";
import { AIMessage, type BaseMessage, ToolMessage, fakeModel, tool } from "langchain";
import { z } from "zod";

/** A model that gives these answers, one per asking. */
export function scripted(...answers: (AIMessage | Error)[]): ReturnType<typeof fakeModel> {
  const model = fakeModel();
  for (const answer of answers) model.respond(answer);
  return model;
}

export interface WantedCall {
  name: string;
  args: Record<string, unknown>;
  id?: string;
}

let calls = 0;

/** An answer that calls tools; call ids are fresh each time, as a real model's are, unless given. */
export function calling(...wanted: WantedCall[]): AIMessage {
  const tool_calls = wanted.map(({ name, args, id = `call_${calls++}` }) => ({
    name,
    args,
    id,
    type: "tool_call" as const,
  }));
  return new AIMessage({ content: "", tool_calls });
}

/** A model that decides from what it is given, with fresh ids each time it is asked. */
export function deciding(
  decide: (messages: BaseMessage[]) => AIMessage,
  askings = 20,
): ReturnType<typeof fakeModel> {
  const model = fakeModel();
  for (let i = 0; i < askings; i++) model.respond((messages) => decide(messages));
  return model;
}

/** The tool results of a run, as the model is shown them. */
export function told(messages: readonly BaseMessage[]): string[] {
  return messages
    .filter((message) => ToolMessage.isInstance(message))
    .map((message) => `${message.status ?? "success"}: ${message.text}`);
}

export interface Sent {
  to: string;
  subject: string;
  tags: string[];
}

/** A tool whose schema has a default and a transform, and what its body was given. */
export function mailer() {
  const sent: Sent[] = [];
  const sendMail = tool(
    async (mail: Sent) => {
      sent.push(mail);
      return `sent ${mail.subject}`;
    },
    {
      name: "send_mail",
      description: "Sends a mail",
      schema: z.object({
        to: z.string().transform((to) => to.trim().toLowerCase()),
        subject: z.string().default("(none)"),
        tags: z.array(z.string()).default([]),
      }),
    },
  );
  return { sendMail, sent };
}

export const ask = (content: string): { messages: { role: "user"; content: string }[] } => ({
  messages: [{ role: "user", content }],
});

/** A model that answers with several candidates at once, the chosen one first. */
export class ManyModel extends BaseChatModel {
  readonly n = 2;
  readonly #answers: AIMessage[][];
  constructor(answers: AIMessage[][]) {
    super({});
    this.#answers = answers;
  }
  override _llmType(): string {
    return "many";
  }
  override getLsParams() {
    return { ls_provider: "many", ls_model_name: "many-1", ls_model_type: "chat" as const };
  }
  override bindTools() {
    return this;
  }
  override async _generate(): Promise<ChatResult> {
    const candidates = this.#answers.shift() ?? [];
    return { generations: candidates.map((message) => ({ message, text: message.text })) };
  }
}
