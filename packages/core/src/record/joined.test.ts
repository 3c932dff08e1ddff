import { type Json, grants } from "@behest/delegation";
import { expect, test } from "vitest";
import { callTool, openTurn } from "../adapter.ts";
import { testBehest } from "../testing.ts";
import type { FullRecord, Session } from "../types.ts";

const tools = grants({ read: {}, pay: {} }, { read: true, pay: true });

async function act(content: "keep" | "digest"): Promise<FullRecord> {
  const behest = await testBehest({ content });
  const root = await behest.as("alice", tools, { agent: "root" });
  const child: Session = await root.delegate({
    agent: "reader",
    tools: grants({ read: {} }, { read: true }),
  });
  const turn = await openTurn(child, { messages: ["what does it say?"], json: (value) => value as Json });
  await turn.record({
    model: "m",
    provider: "p",
    system: "be brief",
    tools: ["read"],
    response: "let me look",
    reasoning: "hm",
    calls: [{ callId: "0", tool: "read" }],
  });
  await callTool(child, { tool: "read", args: { path: "/a" }, callId: "0", turn: turn.id }, async () => ({
    text: "hello",
  }));
  const [record] = await behest.records.list();
  const full = await behest.records.get(record!.index);
  expect(await behest.records.get(0)).toBeUndefined();
  await behest.close();
  return full!;
}

test("a record joins whose behest, what was asked, what the model chose, what was decided and what came of it", async () => {
  const { entries, content, ...record } = await act("keep");
  expect(record).toMatchObject({
    principal: "alice",
    agent: "reader",
    tool: "read",
    verdict: "permit",
    outcome: "done",
  });
  expect(entries.delegations.map(({ depth }) => depth)).toEqual([0, 1]);
  expect(entries.interaction).toMatchObject({
    model: "m",
    provider: "p",
    calls: [{ action: entries.action.action, tool: "read" }],
  });
  expect(entries.action.findings.map(({ check, code }) => `${check} ${code}`)).toEqual([
    "lineage ok",
    "grant ok",
    "profile ok",
  ]);
  expect(entries.outcome).toMatchObject({ outcome: "done", action: entries.action.action });
  expect(content).toEqual({
    instruction: ["what does it say?"],
    system: "be brief",
    tools: ["read"],
    response: "let me look",
    reasoning: "hm",
    args: { path: "/a" },
    result: { text: "hello" },
  });
});

test("unless content is kept, a record holds no more of it than a replay needs", async () => {
  const { entries, content } = await act("digest");
  expect(Object.keys(entries.interaction!.content)).toContain("reasoning");
  expect(content).toEqual({ result: { text: "hello" } });
});
