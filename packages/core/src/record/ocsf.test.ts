import { thumbprint } from "@behest/jws";
import { type Json, grants } from "@behest/delegation";
import { expect, test } from "vitest";
import { callTool, openTurn } from "../adapter.ts";
import type { BehestConfig } from "../behest.ts";
import { faultsOf } from "../../test/ocsf.ts";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { memoryStore } from "../store/memory.ts";
import { type TestBehest, testBehest } from "../testing.ts";
import type { OcsfEvent } from "./ocsf.ts";
import { readStore } from "./reader.ts";

const tools = grants({ read: {}, pay: {} }, { read: true, pay: true });

/** The events of what `act` does, each held against the schema. */
async function events(
  act: (behest: TestBehest) => Promise<unknown>,
  config: Partial<BehestConfig> = {},
): Promise<readonly OcsfEvent[]> {
  const store = memoryStore();
  const behest = await testBehest({ store, content: "keep", ...config });
  await act(behest);
  await behest.records.list();
  const reader = readStore(store);
  const found: OcsfEvent[] = [];
  for await (const event of reader.ocsf(await reader.records())) found.push(event);
  for (const event of found) expect(faultsOf(event)).toEqual([]);
  await behest.close();
  return found;
}

test("an action of a sub-agent says who acted, under which delegation of which, and with what end", async () => {
  let jtis: string[] = [];
  let holders: string[] = [];
  const [event] = await events(async (behest) => {
    const root = await behest.as("alice", tools, { agent: "root" });
    const child = await root.delegate({ agent: "reader", tools: grants({ read: {} }, { read: true }) });
    const turn = await openTurn(child, { messages: ["hidden question"], json: (value) => value as Json });
    const call = { callId: "0", tool: "read" };
    const said = { response: "hidden answer", calls: [call], tools: ["read"] };
    await turn.record({ model: "m-1", provider: "p", ...said });
    const args = { path: "/hidden/path" };
    await callTool(child, { ...call, args, turn: turn.id }, async () => "hidden result");
    const [record] = await behest.records.list();
    const { delegations } = (await behest.records.get(record!.index))!.entries;
    jtis = delegations.map(({ jti }) => jti);
    holders = delegations.map(({ holder }) => thumbprint({ kty: "OKP", crv: "Ed25519", x: holder }));
  });
  expect(event).toMatchObject({
    class_uid: 6003,
    action: "Allowed",
    status: "Success",
    actor: { user: { name: "alice", uid: expect.any(String) } },
    ai_agent: { name: "reader", uid: holders[1], ai_model: { name: "m-1", ai_provider: "p" } },
    delegation: { uid: jtis[1], parent_uid: jtis[0], issuer_uid: holders[0] },
    metadata: { version: "1.9.0", log_name: "behest.test/log" },
    unmapped: { depth: 1, outcome: "done" },
  });
  expect(JSON.stringify(event)).not.toContain("hidden");
});

test("a root's delegation names its issuer's key, and no parent", async () => {
  let issuer = "";
  const [event] = await events(async (behest) => {
    issuer = thumbprint(behest.issuer.signer.jwk);
    const session = await behest.as("alice", tools);
    await session.perform({ tool: "pay", args: {} }, async () => 1);
  });
  expect(event!["delegation"]).toMatchObject({ issuer_uid: issuer });
  expect(event!["delegation"]).not.toHaveProperty("parent_uid");
});

test("denied, failed, and waiting for a person are told apart", async () => {
  using folder = new PolicyFolder({
    "a.cedar": `permit(principal, action, resource);
      @ask("group:finance") forbid(principal, action, resource) when { context.tool == "pay" };`,
  });
  const told = await events(
    async (behest) => {
      const session = await behest.as("alice", tools);
      const failing = async (): Promise<never> => {
        throw new Error("hidden cause");
      };
      await session.perform({ tool: "drop", args: { secret: "hidden" } }, async () => 1).catch(() => {});
      await session.perform({ tool: "read", args: {} }, failing).catch(() => {});
      await session.perform({ tool: "pay", args: {} }, async () => 1).catch(() => {});
    },
    { policy: folder.path },
  );
  expect(
    told.map(({ action, disposition, severity, status }) => [action, disposition, severity, status]),
  ).toEqual([
    ["Denied", "Blocked", "Low", "Failure"],
    ["Allowed", "Allowed", "Informational", "Failure"],
    ["ask", "Delayed", "Informational", "Unknown"],
  ]);
  expect(told[0]!["status_code"]).toBe("tool_not_granted");
  expect(JSON.stringify(told)).not.toContain("hidden");
});

test("what nobody enforced is neither allowed nor denied; what nobody delegated has no delegation", async () => {
  const told = await events(
    async (behest) => {
      const session = await behest.as("alice", tools);
      await session.perform({ tool: "drop", args: {} }, async () => 1);
      await behest.observe({ principal: "bob" }).perform({ tool: "read", args: {} }, async () => 1);
    },
    { enforce: "shadow" },
  );
  expect(told.map(({ action, disposition }) => [action, disposition])).toEqual([
    ["Observed", "Logged"],
    ["Observed", "Logged"],
  ]);
  expect(told[1]).toMatchObject({ actor: { user: { name: "bob" } }, unmapped: { observed: true } });
  expect(told[1]).not.toHaveProperty("delegation");
});

test("of an erased principal the pseudonym is left, and no name", async () => {
  const told = await events(async (behest) => {
    const session = await behest.as("alice", tools, { agent: "hidden-agent" });
    await session.perform({ tool: "read", args: {} }, async () => 1);
    await behest.erase({ principal: "alice", reason: "asked", despiteRetention: true });
  });
  expect(told).toMatchObject([
    {
      actor: { user: { name: "(erased)", uid: expect.any(String) } },
      ai_agent: { name: "(erased)" },
      delegation: { uid: expect.any(String) },
    },
  ]);
  expect(JSON.stringify(told)).not.toMatch(/alice|hidden/);
});

test("the check of events finds what is not in the schema", async () => {
  const [event] = await events(async (behest) => {
    const session = await behest.as("alice", tools);
    await session.perform({ tool: "read", args: {} }, async () => 1);
  });
  const { api: _, ...without } = event!;
  for (const wrong of [
    without,
    { ...event, extra: 1 },
    { ...event, time: String(event!["time"]) },
    { ...event, time: 1_700_000_000 },
    { ...event, action_id: 7 },
    { ...event, action: "Denied" },
    { ...event, delegation: {} },
    { ...event, metadata: { ...(event!["metadata"] as object), profiles: [] } },
    { ...event, activity_id: 3, activity_name: "Update" },
  ])
    expect(faultsOf(wrong)).not.toEqual([]);
});
