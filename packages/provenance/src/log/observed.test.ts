import { expect, test } from "vitest";
import { AT, Deployment, outcome } from "../../test/deployment.ts";
import type { EntryPayload, LogReport } from "../index.ts";

const MARKS = { enforce: "shadow", observed: true };

/** `payload` without what names a delegation, and with `marks`. */
function observed(payload: EntryPayload, marks: object = MARKS, links: object = {}): EntryPayload {
  const { decision: _, ...rest } = payload as EntryPayload & { readonly decision?: string };
  return { ...rest, ...marks, links } as EntryPayload;
}

async function start(): Promise<{ made: Deployment; delegation: string }> {
  const made = await Deployment.make();
  made.open();
  return { made, delegation: made.append(made.delegation()) };
}

function said({ findings }: LogReport): string[] {
  return findings.filter(({ state }) => state !== "not_shown").map(({ index, code }) => `${index} ${code}`);
}

test("what was observed without a delegation is proven as that, and counted apart", async () => {
  const { made, delegation } = await start();
  const interaction = made.append(observed(made.interaction("")));
  const action = made.append(observed(made.action("", { action: "call-0" }), MARKS, { interaction }));
  made.append(outcome(action, { action: "call-0" }));
  made.append(made.action(delegation, { action: "call-1" }));
  const report = await made.verify();
  expect(report).toMatchObject({ ok: true, observed: 1, proven: 6, counts: { action: 2, principals: 1 } });
});

test.each<[string, (made: Deployment, delegation: string) => EntryPayload]>([
  ["is not marked", (made) => observed(made.action("", { action: "a" }), {})],
  ["is only marked as observed", (made) => observed(made.action("", { action: "a" }), { observed: true })],
  ["is only marked as shadow", (made) => observed(made.action("", { action: "a" }), { enforce: "shadow" })],
  ["is a turn and not marked", (made) => observed(made.interaction(""), {})],
  ["is a turn and only marked as observed", (made) => observed(made.interaction(""), { observed: true })],
  [
    "carries a decision, which nobody is bound to make",
    (made) => ({ ...made.action("", { action: "a" }), ...MARKS, links: {} }) as EntryPayload,
  ],
  [
    "names a delegation all the same",
    (made, delegation) => ({ ...made.action(delegation, { action: "a" }), ...MARKS }) as EntryPayload,
  ],
  [
    "names a delegation and nobody's decision",
    (made, delegation) => observed(made.action("", { action: "a" }), {}, { delegation }),
  ],
])("an entry without a delegation that %s is refused", async (_, forge) => {
  const { made, delegation } = await start();
  made.append(forge(made, delegation));
  const report = await made.verify();
  expect(said(report)).toEqual(["2 malformed_entry"]);
  expect(report).toMatchObject({ ok: false, observed: 0 });
});

test("a turn that was observed chose nothing that is done under a delegation, nor the other way round", async () => {
  const { made, delegation } = await start();
  const seen = made.append(observed(made.interaction("")));
  made.append(made.action(delegation, { action: "call-0", interaction: seen }));
  const chosen = made.append(made.interaction(delegation));
  made.append(observed(made.action("", { action: "call-0" }), MARKS, { interaction: chosen }));
  const other = { ...MARKS, session: "s-2" };
  made.append(observed(made.action("", { action: "call-0" }), other, { interaction: seen }));
  expect(said(await made.verify())).toEqual([
    "3 interaction_mismatch",
    "5 interaction_mismatch",
    "6 interaction_mismatch",
  ]);
});

test("nobody's approval is of what was observed, and it still starts once", async () => {
  const { made } = await start();
  const ask = { ...MARKS, verdict: "ask", attempt: 0 };
  const asked = made.append(observed(made.action("", { action: "call-0" }), ask));
  const linked = { actions: ["call-0"], links: { actions: [asked] } };
  made.append({ v: 1, type: "approval", kind: "decision", at: AT, decision: "x", ...linked });
  const entry = observed(made.action("", { action: "call-1" }));
  made.append(entry);
  made.append(entry);
  expect(said(await made.verify())).toEqual(["3 link_broken", "5 attempt_repeated"]);
});
