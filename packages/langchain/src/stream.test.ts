import { type AatTools, grants, is } from "@behest/delegation";
import { currentSession } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { AIMessage, createAgent, createMiddleware, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, deciding, scripted, told } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";

const readFile = tool(async ({ path }) => `${currentSession().principal} read ${path}`, {
  name: "read_file",
  description: "Reads a file",
  schema: z.object({ path: z.string() }),
});
const under = (folder: string): AatTools => grants([readFile], { read_file: { path: is.under(folder) } });
const agentOf = () => {
  const model = scripted(
    calling(
      { name: "read_file", args: { path: "/data/x" } },
      { name: "read_file", args: { path: "/etc/passwd" } },
    ),
    new AIMessage("done"),
  );
  return createAgent({ model, tools: [readFile], middleware: behestMiddleware() });
};
const expected = [
  "success: alice read /data/x",
  'error: BehestDenied: read_file: argument "path" is outside what was delegated (path). Other calls may go on; do not retry this one.',
];

test("a stream that is consumed after session.run, and in another tenant's run, keeps its own session", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", under("/data"));
  const mallory = await behest.as("mallory", under("/"));

  const stream = await alice.run(() => agentOf().stream(ask("go"), { streamMode: "values" }));
  const results = await mallory.run(async () => {
    let last: string[] = [];
    for await (const { messages } of stream) last = told(messages);
    return last;
  });

  expect(results).toEqual(expected);
  const records = await behest.records.list();
  expect(records.map(({ principal, verdict }) => `${principal} ${verdict}`).toSorted()).toEqual([
    "alice deny",
    "alice permit",
  ]);
});

test("messages and updates stream as without behest, each message under one id", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", under("/data"));
  const ids = new Map<string, Set<string | undefined>>();
  const stream = await alice.run(() => agentOf().stream(ask("go"), { streamMode: ["messages", "updates"] }));
  for await (const [mode, chunk] of stream) {
    if (mode === "messages") add(chunk[0].type, chunk[0].id);
    else
      for (const update of Object.values(chunk) as { messages: AIMessage[] }[])
        for (const { type, id } of update.messages) add(type, id);
  }
  function add(type: string, id: string | undefined): void {
    ids.set(type, (ids.get(type) ?? new Set()).add(id));
  }
  expect([...ids].map(([type, seen]) => [type, seen.size])).toEqual([
    ["ai", 2],
    ["tool", 2],
  ]);
});

test.for(["v1", "v2", "v3"] as const)("streamEvents %s is guarded like invoke", async (version) => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", under("/data"));
  const events: string[] = [];
  const stream = await Promise.resolve<AsyncIterable<unknown>>(
    alice.run(() => agentOf().streamEvents(ask("go"), { version: version as "v2" })),
  );
  for await (const event of stream) events.push(JSON.stringify(event));
  expect(events.some((event) => event.includes("alice read /data/x"))).toBe(true);
  expect(events.some((event) => event.includes("BehestDenied: read_file"))).toBe(true);
  expect((await behest.records.list()).map(({ verdict }) => verdict).toSorted()).toEqual(["deny", "permit"]);
});

test.for(["v2", "v3"] as const)(
  "a run of streamEvents %s that failed is taken up where it was, and asked anew once it went well",
  async (version) => {
    await using behest = await testBehest();
    let broken = true;
    let reads = 0;
    const read = tool(async () => `${++reads}`, {
      name: "read_file",
      description: "d",
      schema: z.looseObject({}),
    });
    const breaks = createMiddleware({
      name: "breaks",
      beforeModel: ({ messages }) => {
        if (broken && messages.length > 2) throw new Error("broken");
      },
    });
    const model = deciding((messages) =>
      messages.some(({ type }) => type === "tool")
        ? new AIMessage("done")
        : calling({ name: "read_file", args: { path: "/data/x" } }),
    );
    const agent = createAgent({ model, tools: [read], middleware: behestMiddleware([breaks]) });
    const run = async () => {
      const alice = await behest.as("alice", under("/data"), { run: "thread-1" });
      const stream = await Promise.resolve<AsyncIterable<unknown>>(
        alice.run(() => agent.streamEvents(ask("go"), { version: version as "v2" })),
      );
      for await (const _ of stream);
      // What is left to do when the stream has ended.
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await run().catch(() => {});
    expect([model.callCount, reads]).toEqual([1, 1]);
    broken = false;
    await run();
    expect([model.callCount, reads]).toEqual([2, 1]);
    await run();
    expect([model.callCount, reads]).toEqual([4, 2]);
  },
);
