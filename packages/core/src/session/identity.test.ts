import {
  type AgentIdentity,
  type Delegation,
  type Holder,
  attestAgent,
  deriveDelegation,
  generateHolder,
  grants,
  issueDelegation,
} from "@behest/delegation";
import { thumbprint } from "@behest/jws";
import { type Deployer, type Manifest, signTrust } from "@behest/provenance";
import { expect, test } from "vitest";
import { callTool, openTurn, spawn } from "../adapter.ts";
import { type BehestConfig, createFrom } from "../behest.ts";
import { memoryStore } from "../store/memory.ts";
import type { Behest, DelegateRequest, OpenOptions, Session } from "../types.ts";

const tools = grants({ read: {} }, { read: true });
const bound = { deployer: "acme", model: "m-1", version: "2.0", instance: "i-7" };
const [owner, issuer, enforcer, deployer, holder, other] = await Promise.all(
  Array.from({ length: 6 }, generateHolder) as [
    Promise<Holder>,
    Promise<Holder>,
    Promise<Holder>,
    Promise<Holder>,
    Promise<Holder>,
    Promise<Holder>,
  ],
);
const iss = "https://issuer.test";
const acme: Deployer = { deployer: "acme", jwk: deployer.jwk };

function manifest(deployers?: readonly Deployer[]): Promise<string> {
  const made: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    issuers: [{ iss, jwk: issuer.jwk }],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: [],
    revokers: [],
    ...(deployers && { deployers }),
    witnesses: [],
  };
  return signTrust(made, owner);
}

async function deployment(
  config: Partial<BehestConfig> = {},
  deployers?: readonly Deployer[],
): Promise<Behest> {
  const trust = { owner: thumbprint(owner.jwk), manifest: await manifest(deployers) };
  const policy = "grants-alone";
  return createFrom({ trust, signer: enforcer, store: memoryStore(), holder, policy, ...config });
}

function root(identity?: AgentIdentity, by: Holder = holder): Promise<Delegation> {
  const claims = { issuer: iss, holder: by.jwk, principal: "a", task: "t", tools, expiresIn: "1h" } as const;
  return issueDelegation({ ...claims, ...(identity && { identity }) }, issuer);
}

/** The identity finding of an action in the session, as its record shows it; undefined when there is none. */
async function found(behest: Behest, session: Session, turn?: string) {
  const call = { tool: "read", args: {}, callId: "0", turn };
  expect(await callTool(session, call, async () => "ran")).toBe("ran");
  const [record] = (await behest.records.list({ session })).slice(-1);
  const { entries } = (await behest.records.get(record!.index))!;
  expect(entries.action.verdict).toBe("permit");
  return entries.action.findings.find(({ check }) => check === "identity");
}

const json = (): never => expect.unreachable("all of it is JSON");

async function turnOf(session: Session, model: string): Promise<string> {
  const turn = await openTurn(session, { messages: ["q"], json });
  const calls = [{ callId: "0", tool: "read" }];
  await turn.record({ model, provider: "p", tools: [], response: "r", calls });
  return turn.id;
}

const never = async (): Promise<never> => expect.unreachable("a tool body ran");
const refused = (session: Session, turn?: string): Promise<void> =>
  expect(callTool(session, { tool: "read", args: {}, callId: "0", turn }, never)).rejects.toMatchObject({
    name: "BehestDenied",
    code: "identity_mismatch",
  });
const attest = (over: object = {}, signer = deployer): Promise<string> =>
  attestAgent({ identity: bound, holder: holder.jwk, expiresIn: "1h", ...over }, signer);

test("an agent that is the one its delegation binds is found to be it", async () => {
  await using behest = await deployment({ identity: "refuse" });
  const session = await behest.open(await root(bound), { identity: bound });
  expect(await found(behest, session)).toEqual({ check: "identity", code: "ok", rule: "stated" });
  const part = await behest.open(await root({ version: "2.0" }), { identity: { ...bound, model: "x" } });
  expect(await found(behest, part)).toMatchObject({ code: "ok" });
});

test("where nothing is bound there is nothing to find", async () => {
  await using behest = await deployment({ identity: "refuse" });
  expect(await found(behest, await behest.open(await root(), { identity: bound }))).toBeUndefined();
});

test.each(["deployer", "model", "version", "instance"] as const)(
  "another %s, or none stated, runs and is on record, by its name alone",
  async (member) => {
    await using behest = await deployment();
    const mismatch = { check: "identity", code: "identity_mismatch", path: `identity.${member}` };
    for (const identity of [
      { ...bound, [member]: "x" },
      Object.fromEntries(Object.entries(bound).filter(([name]) => name !== member)),
    ])
      expect(await found(behest, await behest.open(await root(bound), { identity }))).toEqual(mismatch);
  },
);

test("a process that says nothing of itself is found to be none of what is bound", async () => {
  await using behest = await deployment();
  const session = await behest.open(await root(bound));
  expect(await found(behest, session)).toMatchObject({
    path: "identity.deployer, identity.model, identity.version, identity.instance",
  });
  expect((await session.authorize({ tool: "read", args: {} })).verdict).toBe("permit");
});

test("a deployment that refuses other agents runs nothing of theirs, and tells nobody who was meant", async () => {
  await using behest = await deployment({ identity: "refuse" });
  const session = await behest.open(await root({ version: "2.0" }), { identity: { version: "secret" } });
  await refused(session);
  const verdict = await session.authorize({ tool: "read", args: {} });
  expect(verdict).toMatchObject({ verdict: "deny" });
  expect(JSON.stringify(verdict)).not.toMatch(/secret|2\.0/);
  const [record] = await behest.records.list();
  expect(record).toMatchObject({ verdict: "deny", code: "identity_mismatch" });
});

test("under an unknown way to treat other agents nothing starts", async () => {
  await expect(deployment({ identity: "reject" as never })).rejects.toMatchObject({ code: "config_invalid" });
});

test("the model that chose a call counts, beside what the process says", async () => {
  await using behest = await deployment();
  const delegation = await root({ model: "m-1" });
  const cases = [
    [undefined, "m-1", "ok"],
    [undefined, "m-2", "identity_mismatch"],
    ["m-1", "m-1", "ok"],
    ["m-1", "m-2", "identity_mismatch"],
    ["m-2", "m-1", "identity_mismatch"],
  ] as const;
  for (const [stated, model, code] of cases) {
    const session = await behest.open(
      delegation,
      stated === undefined ? {} : { identity: { model: stated } },
    );
    const finding = await found(behest, session, await turnOf(session, model));
    expect([stated, model, finding?.code]).toEqual([stated, model, code]);
  }
});

test("a run that is taken up again still knows which model chose its calls", async () => {
  await using behest = await deployment({ identity: "refuse" });
  const delegation = await root({ model: "m-1" });
  const options: OpenOptions = { run: "chat-1" };
  for (let i = 0; i < 2; i++) {
    const session = await behest.open(delegation, options);
    await refused(session, await turnOf(session, "m-2").catch(() => expect.unreachable()));
  }
  const good = await behest.open(delegation, { run: "chat-2" });
  await turnOf(good, "m-1");
  const again = await behest.open(delegation, { run: "chat-2" });
  const { id, replay } = await openTurn(again, { messages: ["q"], json });
  expect(replay).toBe("r");
  expect(await found(behest, again, id)).toMatchObject({ code: "ok" });
});

test("a listed deployer's attestation is taken, for the holder it was made for", async () => {
  await using behest = await deployment({ identity: "refuse" }, [acme]);
  const session = await behest.open(await root(bound), { identity: await attest() });
  expect(await found(behest, session)).toEqual({ check: "identity", code: "ok", rule: "attested" });
  // Stolen and presented by an agent with a key of its own.
  const theirs = await root(bound, other);
  await expect(behest.open(theirs, { identity: await attest(), holder: other })).rejects.toMatchObject({
    code: "identity_invalid",
    cause: { code: "holder_mismatch" },
  });
  const child = await deriveDelegation(await root(), { holder: other.jwk, tools, identity: bound }, holder);
  await expect(behest.open(child, { identity: await attest(), holder: other })).rejects.toMatchObject({
    code: "identity_invalid",
  });
});

test("who names a listed deployer without its attestation opens nothing, whatever became of its key", async () => {
  for (const listed of [acme, { ...acme, from: 1_000_000 }, { ...acme, until: 1 }]) {
    await using behest = await deployment({}, [listed]);
    const delegation = await root(bound);
    await expect(behest.open(delegation, { identity: bound })).rejects.toMatchObject({
      code: "identity_invalid",
    });
    if (listed === acme) continue;
    await expect(behest.open(delegation, { identity: await attest() })).rejects.toMatchObject({
      cause: { code: "deployer_untrusted" },
    });
  }
  await using behest = await deployment({}, [acme]);
  const stated = await behest.open(await root({ version: "1" }), { identity: { version: "1" } });
  expect(await found(behest, stated)).toMatchObject({ code: "ok", rule: "stated" });
});

test.each<[string, () => Promise<string>, string]>([
  ["another key", () => attest({}, other), "deployer_untrusted"],
  [
    "a deployer that is not listed",
    () => attest({ identity: { deployer: "evil" } }, deployer),
    "deployer_untrusted",
  ],
  ["expired", () => attest({ now: 1_000_000 }), "attestation_expired"],
  ["another token", async () => (await root()).chain[0]!, "header_refused"],
  ["no token", async () => "acme", "malformed_attestation"],
])("an attestation that does not hold opens nothing: %s", async (_name, make, code) => {
  await using behest = await deployment({}, [acme]);
  const error: unknown = await behest.open(await root(bound), { identity: await make() }).then(
    () => expect.unreachable(),
    (e: unknown) => e,
  );
  expect(error).toMatchObject({ code: "identity_invalid", cause: { code } });
  expect(String(error)).not.toMatch(/eyJ|acme|m-1/);
});

test("an attestation that runs out vouches for nothing more", async () => {
  let now = Date.now();
  await using behest = await deployment({ identity: "refuse", clock: () => now }, [acme]);
  const session = await behest.open(await root(bound), { identity: await attest({ expiresIn: "5m" }) });
  expect(await found(behest, session)).toMatchObject({ code: "ok" });
  now += 301_000;
  const late = { tool: "read", args: {}, callId: "1" };
  await expect(callTool(session, late, never)).rejects.toMatchObject({ code: "identity_mismatch" });
});

test("a sub-agent has an identity of its own, and runs where its parent does", async () => {
  await using behest = await deployment({ identity: "refuse" }, [acme]);
  const parent = await behest.open(await root(bound), { identity: await attest() });
  const plain = await parent.delegate({ tools });
  expect(await found(behest, plain)).toBeUndefined();
  const child = await parent.delegate({ tools, identity: { deployer: "acme", model: "m-2" } });
  expect(await found(behest, child, await turnOf(child, "m-2"))).toMatchObject({
    code: "ok",
    rule: "attested",
  });
  // The parent's model is not the child's.
  const [silent, wrong] = [
    await parent.delegate({ tools, identity: { model: "m-1" } }),
    await parent.delegate({ tools, identity: { deployer: "evil" } }),
  ];
  await refused(silent);
  await refused(wrong);
  await expect(parent.delegate({ tools, identity: { region: "eu" } as AgentIdentity })).rejects.toMatchObject(
    { code: "delegation_invalid" },
  );
});

test("an agent that is another than was meant does not get round that through a sub-agent", async () => {
  const request: DelegateRequest = { tools };
  await using recording = await deployment();
  const stray = await recording.open(await root({ version: "2.0" }), { identity: { version: "3.0" } });
  const child = await stray.delegate(request);
  expect(await found(recording, child)).toMatchObject({ path: "parent.identity.version" });
  expect(await found(recording, await child.delegate(request))).toMatchObject({
    path: "parent.parent.identity.version",
  });
  await using strict = await deployment({ identity: "refuse" });
  const parent = await strict.open(await root({ model: "m-1" }), { identity: { model: "m-1" } });
  const act = (own: Session): Promise<string> =>
    callTool(own, { tool: "read", args: {}, callId: "0" }, async () => "ran");
  const by = async (model: string): Promise<string> =>
    spawn(parent, { tool: model, args: {}, callId: model, turn: await turnOf(parent, model) }, request, act);
  expect(await by("m-1")).toBe("ran");
  await expect(by("m-2")).rejects.toMatchObject({ code: "identity_mismatch" });
});

test("the sub-agent of a run that is taken up again is the one that it was", async () => {
  await using behest = await deployment();
  const delegation = await root();
  const again = async (identity?: AgentIdentity): Promise<Session> =>
    (await behest.open(delegation, { run: "r" })).delegate({ tools, ...(identity && { identity }) });
  await again({ version: "1" });
  await again({ version: "1" });
  for (const other of [{ version: "2" }, undefined])
    await expect(again(other)).rejects.toMatchObject({ code: "action_conflict" });
});

test("an enforcing process holds no deployer's key", async () => {
  await expect(deployment({ holder: deployer }, [acme])).rejects.toMatchObject({ code: "key_readable" });
  await expect(manifest([{ deployer: "acme", jwk: enforcer.jwk }])).rejects.toMatchObject({
    code: "roles_not_apart",
  });
});
