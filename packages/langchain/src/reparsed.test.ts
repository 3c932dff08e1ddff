import { MemorySaver, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { AIMessage, type BaseMessage, createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { approving, callingOnce, granted, payment } from "../test/approving.ts";
import { ask, calling, told } from "../test/support.ts";
import { behestMiddleware, guardTools, pendingApprovals, resume, subagentTool } from "./index.ts";

/** A tool whose default comes out otherwise each time it is parsed, and the nonces its body got. */
function noting() {
  const nonces: number[] = [];
  const look = tool(async ({ nonce }) => `saw ${nonces.push(nonce)}`, {
    name: "look",
    description: "d",
    schema: z.object({ at: z.string(), nonce: z.number().default(Math.random) }),
  });
  return { look, nonces };
}

interface Agent {
  invoke(input: never, options: object): Promise<{ messages: BaseMessage[] }>;
}
type Made = (look: object, pay: object) => Agent;

const turn = () => [{ name: "look", args: { at: "a" } }, payment(5)];
const checkpointer = new MemorySaver();

const MADE: { readonly [how: string]: Made } = {
  "an agent of version v1": (look, pay) =>
    createAgent({
      model: callingOnce(...turn()),
      tools: [look, pay] as never,
      version: "v1",
      checkpointer,
      middleware: behestMiddleware(),
    }) as unknown as Agent,
  "a ToolNode": (look, pay) => {
    const message = new AIMessage({ id: "turn-1", content: "", tool_calls: calling(...turn()).tool_calls! });
    return new StateGraph(MessagesAnnotation)
      .addNode("model", () => ({ messages: [message] }))
      .addNode("tools", new ToolNode(guardTools([look, pay]) as never))
      .addEdge("__start__", "model")
      .addEdge("model", "tools")
      .compile({ checkpointer }) as unknown as Agent;
  },
  "a sub-agent without a checkpointer": (look, pay) => {
    const spawn = subagentTool({
      name: "spawn",
      description: "d",
      schema: z.object({}),
      delegate: { tools: granted },
      run: async () => {
        const child = createAgent({
          model: callingOnce(...turn()),
          tools: [look, pay] as never,
          checkpointer: false,
          middleware: behestMiddleware(),
        });
        return (await child.invoke(ask("go"))).messages.at(-1)!.text;
      },
    });
    return createAgent({
      model: callingOnce({ name: "spawn", args: {} }),
      tools: [spawn],
      checkpointer,
      middleware: behestMiddleware(),
    }) as unknown as Agent;
  },
};

test.for(Object.entries(MADE))(
  "a call that is done and parsed anew, because its sibling had waited, answers with what it did: %s",
  async ([how, made]) => {
    const { behest, open, pay, paid, decide } = await approving();
    const { look, nonces } = noting();
    const at = { configurable: { thread_id: how } };
    // One and the same model: it is asked again only where nothing was recorded.
    const agent = made(look, pay);
    const first = await (await open()).run(() => agent.invoke(ask("go") as never, at));
    const asks = pendingApprovals(first);
    expect(asks).toHaveLength(1);
    await decide("approve");
    const { messages } = await (await open()).run(() => agent.invoke(resume(asks) as never, at));
    expect(told(messages).join("; ")).toMatch(/success: saw 1; success: paid 1$/);
    expect([nonces.length, paid]).toEqual([1, [5]]);
    expect((await behest.records.list()).map(({ code }) => code)).not.toContain("action_conflict");
    await behest.close();
  },
);
