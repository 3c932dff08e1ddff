import { expect, test } from "vitest";
import type { Signer } from "@behest/jws";
import { AT, Deployment, NOW, digest, key, outcome } from "../../test/deployment.ts";
import {
  type ApprovalContext,
  type ApprovalStatement,
  type LogReport,
  type Manifest,
  signApproval,
  signTrust,
  trustHash,
} from "../index.ts";

function said({ findings }: LogReport): string[] {
  const known = new Set(["token_not_shown", "outcome_not_shown"]);
  return findings.filter(({ code }) => !known.has(code)).map(({ index, code }) => `${index} ${code}`);
}

interface Case {
  readonly made: Deployment;
  readonly delegation: string;
  /** Hash of the entry that asks, number 2. */
  readonly asked: string;
  readonly cfo: Signer;
  readonly second: Signer;
}

/** A log in which `call-0` waits for two persons of finance. */
async function waiting(): Promise<Case> {
  const [cfo, second] = [await key(), await key()];
  const approvers = [
    { group: "finance", person: "cfo", jwk: cfo.jwk },
    { group: "legal", person: "counsel", jwk: second.jwk },
    { group: "finance", person: "controller", jwk: second.jwk },
  ];
  const made = await Deployment.make({ approvers });
  made.open();
  const delegation = made.append(made.delegation());
  const change = { verdict: "ask", attempt: 0, effect: "irreversible" };
  const asked = made.append(made.action(delegation, { action: "call-0", change }));
  return { made, delegation, asked, cfo, second };
}

function contextOf(action: string): ApprovalContext {
  return {
    action,
    leaf: digest("token"),
    tool: "read_file",
    args: digest(`args of ${action}`),
    nonce: digest("nonce"),
  };
}

type Said = Partial<ApprovalStatement> & Partial<ApprovalContext>;

async function decide(
  { made, asked }: Case,
  by: Signer,
  said: Said = {},
  entry: object = {},
): Promise<string> {
  const { decision, about, group, reason, iat, exp, ...context } = said;
  const statement: ApprovalStatement = {
    v: 1,
    decision: decision ?? "approve",
    about: about ?? [{ ...contextOf("call-0"), ...context }],
    group: group ?? "finance",
    ...(reason !== undefined && { reason }),
    iat: iat ?? NOW,
    exp: exp ?? NOW + 600,
  };
  return made.append({
    v: 1,
    type: "approval",
    kind: "decision",
    at: AT,
    actions: ["call-0"],
    decision: await signApproval(statement, by),
    links: { actions: [asked] },
    ...entry,
  });
}

function start({ made, delegation }: Case, approvals: string[], change: object = {}): string {
  const links = { delegation, approvals };
  return made.append(
    made.action(delegation, { action: "call-0", change: { effect: "irreversible", links, ...change } }),
  );
}

test("an attempt rests on the approvals that it names", async () => {
  const log = await waiting();
  const approvals = [await decide(log, log.cfo), await decide(log, log.second)];
  const action = start(log, approvals);
  log.made.append(outcome(action, { action: "call-0" }));
  const report = await log.made.verify();
  expect(said(report)).toEqual([]);
  expect(report).toMatchObject({ ok: true, counts: { approval: 2, action: 2 } });
});

test.each<[string, Said, object, string]>([
  ["another action", { action: "call-1" }, {}, "approval_mismatch"],
  ["another chain", { leaf: digest("other") }, {}, "approval_mismatch"],
  ["another tool", { tool: "send_mail" }, {}, "approval_mismatch"],
  ["other arguments", { args: digest("others") }, {}, "approval_mismatch"],
  ["other policies", { policy: digest("p") }, {}, "approval_mismatch"],
  ["an entry that says otherwise", {}, { actions: ["call-1"] }, "approval_mismatch"],
  ["an entry that says more", {}, { actions: ["call-0", "call-1"] }, "approval_mismatch"],
  ["a plan of which less is linked", { about: ["call-0", "call-1"].map(contextOf) }, {}, "approval_mismatch"],
  ["a group the signer is not in", { group: "legal" }, {}, "approver_not_trusted"],
  ["a time that was over", { exp: NOW - 120 }, {}, "approval_expired"],
  ["a time to come", { iat: NOW + 120 }, {}, "approval_expired"],
])(
  "an approval for %s proves nothing, and nothing that rests on it is proven",
  async (_, statement, entry, code) => {
    const log = await waiting();
    const approval = await decide(log, log.cfo, statement, entry);
    start(log, [approval]);
    expect(said(await log.made.verify())).toEqual([`3 ${code}`, "4 approval_mismatch"]);
  },
);

test("nobody approves who is not enrolled, whatever the header says", async () => {
  const log = await waiting();
  for (const by of [await key(), log.made.holder, log.made.emitter.signer, log.made.issuer, log.made.owner])
    await decide(log, by);
  const named: Signer = { jwk: log.cfo.jwk, sign: (bytes) => log.made.holder.sign(bytes) };
  await decide(log, named);
  expect(said(await log.made.verify())).toEqual([
    ...[3, 4, 5, 6, 7].map((index) => `${index} approver_not_trusted`),
    "8 signature_invalid",
  ]);
});

test("an approval is spent once, by its own action, and one person counts once", async () => {
  const log = await waiting();
  const [first, again] = [await decide(log, log.cfo), await decide(log, log.cfo, { iat: NOW + 1 })];
  start(log, [first, again]);
  const links = { delegation: log.delegation, approvals: [first] };
  log.made.append(log.made.action(log.delegation, { action: "call-1", change: { links } }));
  start(log, [first], { attempt: 1 });
  start(log, [first, digest("nowhere")], { attempt: 1 });
  expect(said(await log.made.verify())).toEqual([
    "5 approval_repeated",
    "6 approval_mismatch",
    "7 approval_repeated",
    "8 approval_repeated",
  ]);
});

test("nothing starts that a person has denied, on whatever and under whatever policies", async () => {
  const log = await waiting();
  // A denial that is not proven is none.
  await decide(log, await key(), { decision: "deny" });
  const approval = await decide(log, log.cfo);
  const denied = await decide(log, log.second, { decision: "deny" });
  for (const approvals of [[approval], [denied], []]) start(log, approvals);
  start(log, [], { policy: digest("q"), links: { delegation: log.delegation } });
  expect(said(await log.made.verify())).toEqual([
    "3 approver_not_trusted",
    ...[6, 7, 8, 9].map((index) => `${index} permitted_after_denial`),
  ]);
});

test("what was asked for starts on an approval, or under other policies", async () => {
  const log = await waiting();
  start(log, []);
  const links = { delegation: log.delegation };
  start(log, [], { links });
  const policy = digest("q");
  start(log, [], { links, policy });
  expect(said(await log.made.verify())).toEqual([
    "3 permitted_without_approval",
    "4 permitted_without_approval",
  ]);
});

test("an approval of what did not ask is none", async () => {
  const log = await waiting();
  const action = log.made.append(log.made.action(log.delegation, { action: "call-9" }));
  const args = digest("args of call-9");
  await decide(
    log,
    log.cfo,
    { action: "call-9", args },
    { actions: ["call-9"], links: { actions: [action] } },
  );
  await decide(log, log.cfo, {}, { links: { actions: [log.delegation] } });
  expect(said(await log.made.verify())).toEqual(["4 approval_mismatch", "5 link_broken"]);
});

test("an approver whom a later manifest withdraws is not trusted after that index", async () => {
  const log = await waiting();
  const approval = await decide(log, log.cfo);
  start(log, [approval]);
  const { manifest, owner, trust } = log.made;
  const approvers = manifest.approvers.map((role) => ({ ...role, until: 3 }));
  const later: Manifest = { ...manifest, approvers, seq: manifest.seq + 1, prev: trustHash(trust) };
  log.made.append({ v: 1, type: "trust", at: AT, manifest: await signTrust(later, owner) });
  await decide(log, log.cfo, { iat: NOW + 2 });
  expect(said(await log.made.verify())).toEqual([
    "3 approver_not_trusted",
    // What rests on it is no better.
    "4 approver_not_trusted",
    "6 approver_not_trusted",
  ]);
});

test("a plan is one signature over several actions, each of which spends it once", async () => {
  const log = await waiting();
  const change = { verdict: "ask", attempt: 0, effect: "irreversible" };
  const second = log.made.append(log.made.action(log.delegation, { action: "call-1", change }));
  const about = ["call-0", "call-1"].map(contextOf);
  const linked = { actions: ["call-0", "call-1"], links: { actions: [log.asked, second] } };
  const plan = await decide(log, log.cfo, { about }, linked);
  start(log, [plan]);
  const links = { delegation: log.delegation, approvals: [plan] };
  const other = (action: string): string =>
    log.made.append(log.made.action(log.delegation, { action, change: { effect: "irreversible", links } }));
  other("call-1");
  expect(said(await log.made.verify())).toEqual([]);
  other("call-2");
  // In another order the links say otherwise than the signature.
  await decide(log, log.cfo, { about }, { ...linked, links: { actions: [second, log.asked] } });
  expect(said(await log.made.verify())).toEqual(["7 approval_mismatch", "8 approval_mismatch"]);
});

test.each([
  ["no action", []],
  ["an action twice", [contextOf("call-0"), contextOf("call-0")]],
  ["too many", Array.from({ length: 65 }, (_, i) => contextOf(`call-${i}`))],
])("%s is no plan", async (_, about) => {
  const log = await waiting();
  await decide(log, log.cfo, { about });
  expect(said(await log.made.verify())).toEqual(["3 malformed_approval"]);
});

test("what was approved under policies starts under these, and under no others", async () => {
  const log = await waiting();
  const policy = digest("p");
  const change = { verdict: "ask", attempt: 0, effect: "irreversible", policy };
  const asked = log.made.append(log.made.action(log.delegation, { action: "call-1", change }));
  const linked = { actions: ["call-1"], links: { actions: [asked] } };
  const approval = await decide(log, log.cfo, { about: [{ ...contextOf("call-1"), policy }] }, linked);
  const links = { delegation: log.delegation, approvals: [approval] };
  for (const under of [undefined, digest("q"), policy])
    log.made.append(
      log.made.action(log.delegation, {
        action: "call-1",
        change: { effect: "irreversible", links, ...(under !== undefined && { policy: under }) },
      }),
    );
  expect(said(await log.made.verify())).toEqual(["5 approval_mismatch", "6 approval_mismatch"]);
});

test.for([
  ["other arguments", { args: digest("a larger sum") }, { content: { args: digest("a larger sum") } }],
  ["another tool", { tool: "send_mail" }, { tool: "send_mail" }],
  ["another chain", { leaf: digest("other token") }, {}],
] as const)("what was approved does not start with %s under its id", async ([, decided, change]) => {
  const log = await waiting();
  const { made } = log;
  const approvals = [await decide(log, log.cfo), await decide(log, log.second)];
  const delegation =
    "leaf" in decided ? made.append(made.delegation({ jti: "root-2", leaf: decided.leaf })) : log.delegation;
  const links = { delegation, approvals };
  made.append(
    made.action(delegation, {
      action: "call-0",
      decided,
      change: { effect: "irreversible", links, ...change },
    }),
  );
  expect(said(await made.verify())).toEqual([`${made.entries.length - 1} approval_mismatch`]);
});
