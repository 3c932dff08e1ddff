import { type AatTools, is } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import { BaseTracer, type Run } from "@langchain/core/tracers/base";
import { MemorySaver } from "@langchain/langgraph";
import { AIMessage, createAgent, createMiddleware, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, scripted } from "../test/support.ts";
import { behestMiddleware, subagentTool } from "./index.ts";

/** Keeps all that a tracing service would be sent. */
class Recorder extends BaseTracer {
  readonly name = "recorder";
  readonly seen: unknown[] = [];
  protected persistRun(run: Run): Promise<void> {
    this.seen.push(run);
    return Promise.resolve();
  }
  override onRunCreate(run: Run): void {
    this.seen.push({ ...run });
  }
  override onRunUpdate(run: Run): void {
    this.seen.push({ ...run });
  }
}

/** Every string and key that can be reached, symbols and hidden members included. */
function strings(
  value: unknown,
  found: Set<string> = new Set(),
  visited: Set<unknown> = new Set(),
): Set<string> {
  if (typeof value === "string") found.add(value);
  if (typeof value === "symbol") found.add(value.toString());
  if (typeof value !== "object" || value === null || visited.has(value)) return found;
  visited.add(value);
  if (value instanceof Map)
    for (const [key, member] of value) strings(member, strings(key, found, visited) && found, visited);
  for (const key of Reflect.ownKeys(value)) {
    strings(key, found, visited);
    const { value: member } = Object.getOwnPropertyDescriptor(value, key)!;
    strings(member, found, visited);
  }
  return found;
}

const COMPACT_JWS = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;

test("no token, key or other authority reaches a tracer, the state, a checkpoint, or what tools and hooks are given", async () => {
  await using behest = await testBehest();
  const given: unknown[] = [];
  const read = tool(async ({ path }, config) => (given.push(config), path), {
    name: "read_file",
    description: "d",
    schema: z.object({ path: z.string() }),
  });
  const granted: AatTools = { read_file: { path: is.under("/data").constraint } };
  const nosy = createMiddleware({
    name: "nosy",
    wrapToolCall: (request, handler) => (given.push({ ...request, tool: undefined }), handler(request)),
    beforeModel: (state, runtime) => void given.push(state, runtime),
  });
  const child = createAgent({
    model: scripted(calling({ name: "read_file", args: { path: "/data/a" } }), new AIMessage("child done")),
    tools: [read],
    middleware: behestMiddleware([nosy]),
  });
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({}),
    delegate: { tools: granted },
    run: async () => (await child.invoke(ask("read"))).messages.at(-1)!.text,
  });
  const model = scripted(
    calling({ name: "spawn", args: {} }, { name: "read_file", args: { path: "/etc/passwd" } }),
    new AIMessage("done"),
  );
  const checkpointer = new MemorySaver();
  const agent = createAgent({
    model,
    tools: [read, spawn],
    checkpointer,
    middleware: behestMiddleware([nosy]),
  });
  const session = await behest.as("alice-subject", granted);
  const recorder = new Recorder();
  const result = await session.run(() =>
    agent.invoke(ask("go"), { callbacks: [recorder], configurable: { thread_id: "t" } }),
  );

  expect(recorder.seen.length).toBeGreaterThan(5);
  const all = [
    ...strings([recorder.seen, result, given, checkpointer.storage, checkpointer.writes, model.calls]),
  ];
  expect(all.some((text) => text.includes("/data/a"))).toBe(true);
  expect(all.filter((text) => COMPACT_JWS.test(text))).toEqual([]);
  expect(all.filter((text) => text.includes("alice-subject") || text.includes(session.id))).toEqual([]);
  expect(
    all.filter((text) => text.includes(behest.holder.jwk.x) || text.includes(behest.holder.thumbprint)),
  ).toEqual([]);
});

test("a refusal names the tool and the argument, never a value", async () => {
  await using behest = await testBehest();
  const read = tool(async ({ path }) => path, {
    name: "read_file",
    description: "d",
    schema: z.object({ path: z.string() }),
  });
  const session = await behest.as("alice", { read_file: { path: is.under("/data").constraint } });
  const calls = [
    { name: "read_file", args: { path: "/home/secret-value" } },
    { name: "secret-value", args: {} },
  ];
  const agent = createAgent({
    model: scripted(calling(...calls), new AIMessage("done")),
    tools: [read],
    middleware: behestMiddleware(),
  });
  const { messages } = await session.run(() => agent.invoke(ask("go")));
  const texts = messages.filter(({ type }) => type === "tool").map(({ text }) => text);
  expect(texts).toHaveLength(2);
  expect(texts.filter((text) => text.includes("secret-value"))).toEqual([]);
});
