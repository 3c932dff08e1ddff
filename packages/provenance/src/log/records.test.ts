import { expect, test } from "vitest";
import { Deployment, NOW, digest, key, outcome } from "../../test/deployment.ts";
import type { LogReport } from "../index.ts";

function said(report: LogReport): string[] {
  const known = new Set(["token_not_shown", "outcome_not_shown"]);
  return report.findings.filter(({ code }) => !known.has(code)).map(({ index, code }) => `${index} ${code}`);
}

/** A log with a manifest (0) and one root delegation (1), whose hash comes with it. */
async function start(): Promise<{ made: Deployment; delegation: string }> {
  const made = await Deployment.make();
  made.open();
  return { made, delegation: made.append(made.delegation()) };
}

test.each<[string, object]>([
  ["another action", { decided: { action: "call-9" } }],
  ["under another delegation", { decided: { leaf: digest("another token") } }],
  ["another tool", { decided: { tool: "send_mail" } }],
  ["other arguments", { decided: { args: digest("other arguments") } }],
])("an action whose holder decided %s is refused", async (_, options) => {
  const { made, delegation } = await start();
  made.append(made.action(delegation, { action: "call-0", ...options }));
  expect(said(await made.verify())).toEqual(["2 decision_mismatch"]);
});

test("a decision that the holder did not sign is refused, also where the entry key signed it", async () => {
  const { made, delegation } = await start();
  for (const [i, holder] of [await key(), made.emitter.signer].entries())
    made.append(made.action(delegation, { action: `call-${i}`, holder }));
  made.append(made.action(delegation, { action: "call-2", change: { decision: "x" } }));
  expect(said(await made.verify())).toEqual([
    "2 signature_invalid",
    "3 signature_invalid",
    "4 malformed_decision",
  ]);
});

test("each delegation's decisions are its own holder's", async () => {
  const { made, delegation } = await start();
  const other = await key();
  const change = {
    jti: "child",
    leaf: digest("child"),
    holder: other.jwk.x,
    depth: 1,
    issuer: undefined,
    links: { parent: delegation },
  };
  const { issuer: _, ...child } = made.delegation(change) as unknown as { issuer: undefined };
  const second = made.append(child as never);
  const decided = { leaf: digest("child") };
  made.append(made.action(second, { action: "call-0", decided, holder: other }));
  made.append(made.action(second, { action: "call-1", decided }));
  expect(said(await made.verify())).toEqual(["4 signature_invalid"]);
});

test("a holder that is no usable key verifies nothing", async () => {
  const { made } = await start();
  const small = made.append(made.delegation({ holder: `AQ${"A".repeat(41)}` }));
  made.append(made.action(small, { action: "call-0" }));
  expect(said(await made.verify())).toEqual(["3 malformed_entry"]);
});

test.each<
  [string, (hash: { delegation: string; interaction: string; action: string }, made: Deployment) => object]
>([
  ["an interaction for a delegation", ({ interaction }, made) => made.action(interaction, { action: "x" })],
  [
    "a delegation for an interaction",
    ({ delegation }, made) => made.action(delegation, { action: "x", interaction: delegation }),
  ],
  ["what is not there", (_, made) => made.interaction(digest("nothing"))],
  ["a delegation for an action", ({ delegation }) => outcome(delegation, { action: "call-0" })],
  ["an action for a parent", ({ action }, made) => made.delegation({ links: { parent: action } })],
  [
    "an action for the interaction that spawned it",
    ({ action }, made) => made.delegation({ links: { interaction: action } }),
  ],
])("a link to %s is broken", async (_, payload) => {
  const { made, delegation } = await start();
  const interaction = made.append(made.interaction(delegation));
  const action = made.append(made.action(delegation, { action: "call-0", interaction }));
  made.append(payload({ delegation, interaction, action }, made) as never);
  expect(said(await made.verify())).toEqual(["4 link_broken"]);
});

test("a link points back, never ahead", async () => {
  const { made, delegation } = await start();
  const action = made.append(made.action(delegation, { action: "call-0" }));
  made.append(outcome(action, { action: "call-0" }));
  const [trust, root, first, second] = made.entries as [string, string, string, string];
  made.entries = [trust, root, second, first];
  expect(said(await made.verify())).toEqual(["2 sequence_gap", "2 link_broken", "3 sequence_repeated"]);
});

test.each<[string, object]>([
  ["of another principal", { principal: "p-2" }],
  ["that skips a depth", { depth: 2 }],
  ["as deep as its parent", { depth: 0 }],
  ["that names an issuer", { issuer: "root" }],
])("a child delegation %s is refused", async (_, change) => {
  const { made, delegation } = await start();
  const { issuer: root, ...child } = made.delegation({
    depth: 1,
    links: { parent: delegation },
  }) as unknown as { issuer: string };
  const named = "issuer" in change ? { issuer: root } : change;
  made.append(child as never);
  made.append({ ...child, ...named } as never);
  expect(said(await made.verify())).toEqual(["3 delegation_mismatch"]);
});

test("a root delegation has an issuer and no depth", async () => {
  const { made } = await start();
  const { issuer: _, ...rootless } = made.delegation() as unknown as { issuer: string };
  made.append(rootless as never);
  made.append(made.delegation({ depth: 1 }));
  expect(said(await made.verify())).toEqual(["2 delegation_mismatch", "3 delegation_mismatch"]);
});

test("nothing is permitted after its delegation has expired; a denial may be recorded then", async () => {
  const { made } = await start();
  const short = made.append(made.delegation({ exp: String(NOW - 120) }));
  made.append(made.action(short, { action: "call-0", change: { verdict: "deny", attempt: 0 } }));
  made.append(made.action(short, { action: "call-1" }));
  expect(said(await made.verify())).toEqual(["4 delegation_expired"]);
});

test("an attempt starts once", async () => {
  const { made, delegation } = await start();
  const first = made.append(made.action(delegation, { action: "call-0" }));
  made.append(made.action(delegation, { action: "call-0" }));
  made.append(outcome(first, { action: "call-0" }));
  made.append(made.action(delegation, { action: "call-0" }));
  expect(said(await made.verify())).toEqual(["3 attempt_repeated", "5 attempt_repeated"]);
});

test("only what is permitted counts as an attempt", async () => {
  const { made, delegation } = await start();
  const changes = [{ attempt: 0 }, { verdict: "deny" }, { verdict: "ask" }];
  for (const [i, change] of changes.entries())
    made.append(made.action(delegation, { action: `call-${i}`, change }));
  expect(said(await made.verify())).toEqual([
    "2 attempt_mismatch",
    "3 attempt_mismatch",
    "4 attempt_mismatch",
  ]);
});

test("the same denial may be recorded again, and what was asked for may start later", async () => {
  const { made, delegation } = await start();
  for (const verdict of ["ask", "ask", "deny"])
    made.append(made.action(delegation, { action: "call-0", change: { verdict, attempt: 0 } }));
  const change = { policy: digest("others") };
  const started = made.append(made.action(delegation, { action: "call-0", change }));
  made.append(outcome(started, { action: "call-0" }));
  expect(said(await made.verify())).toEqual([]);
});

test("a read starts again once its last attempt has ended otherwise than done, and only then", async () => {
  const { made, delegation } = await start();
  const again = (attempt: number, change = {}) =>
    made.append(made.action(delegation, { action: "call-0", change: { attempt, ...change } }));
  const first = again(1);
  again(2); // 3: the first is still open
  made.append(outcome(first, { action: "call-0", outcome: "unknown" }));
  again(2, { effect: "irreversible" }); // 5
  again(3); // 6: there was no second
  const second = again(2);
  made.append(outcome(second, { action: "call-0", attempt: 2, outcome: "failed" }));
  const third = again(3);
  made.append(outcome(third, { action: "call-0", attempt: 3 }));
  again(4); // 11: the third is done
  expect(said(await made.verify())).toEqual([3, 5, 6, 11].map((i) => `${i} attempt_out_of_order`));
});

test("an attempt that starts again is the same action", async () => {
  const { made, delegation } = await start();
  const first = made.append(made.action(delegation, { action: "call-0" }));
  made.append(outcome(first, { action: "call-0", outcome: "unknown" }));
  const other = { tool: "write_file", args: digest("other args") };
  const change = { attempt: 2, tool: other.tool, content: { args: other.args } };
  made.append(made.action(delegation, { action: "call-0", decided: other, change }));
  expect(said(await made.verify())).toEqual(["4 attempt_out_of_order"]);
});

test("the turn that an action names is of its own session and delegation; a call that it did not choose is said", async () => {
  const { made, delegation } = await start();
  const turn = made.append(made.interaction(delegation));
  made.append(made.action(delegation, { action: "call-0", interaction: turn, change: { session: "s-2" } }));
  expect(said(await made.verify())).toEqual(["3 interaction_mismatch"]);
  made.append(made.action(delegation, { action: "call-7", interaction: turn }));
  const report = await made.verify();
  expect(report.findings.filter(({ code }) => code === "choice_not_shown")).toMatchObject([
    { index: 4, state: "not_shown" },
  ]);
});

test("an attempt has one outcome", async () => {
  const { made, delegation } = await start();
  const action = made.append(made.action(delegation, { action: "call-0" }));
  made.append(outcome(action, { action: "call-0", outcome: "unknown" }));
  made.append(outcome(action, { action: "call-0" }));
  expect(said(await made.verify())).toEqual(["4 outcome_repeated"]);
});

test("an outcome is of the attempt that it links to", async () => {
  const { made, delegation } = await start();
  const action = made.append(made.action(delegation, { action: "call-0" }));
  made.append(outcome(action, { action: "call-1" }));
  made.append(outcome(action, { action: "call-0", attempt: 2 }));
  expect(said(await made.verify())).toEqual(["3 outcome_mismatch", "4 outcome_mismatch"]);
});

test("what was denied or asked for has no outcome", async () => {
  const { made, delegation } = await start();
  for (const verdict of ["deny", "ask"]) {
    const action = made.append(made.action(delegation, { action: verdict, change: { verdict, attempt: 0 } }));
    made.append(outcome(action, { action: verdict, attempt: 0 }));
  }
  expect(said(await made.verify())).toEqual(["3 outcome_mismatch", "5 outcome_mismatch"]);
});

test("an attempt without an outcome is told as not shown", async () => {
  const { made, delegation } = await start();
  made.append(made.action(delegation, { action: "call-0" }));
  const report = await made.verify();
  expect(report.ok).toBe(true);
  expect(report.findings.at(-1)).toMatchObject({ index: 2, state: "not_shown", code: "outcome_not_shown" });
});
