import { expect, test } from "vitest";
import { AT, Deployment, NOW, ORIGIN, digest, emitterOf, key, outcome } from "../../test/deployment.ts";
import { part } from "../../test/part.ts";
import { type EntryPayload, type LogReport, cosign, signCheckpoint } from "../index.ts";

const DAY = 86_400_000;

function said({ findings }: LogReport): string[] {
  return findings
    .filter(({ code }) => code !== "token_not_shown")
    .map(({ index, state, code }) => `${index} ${state} ${code}`);
}

function after(days: number): string {
  return new Date(Date.parse(AT) + days * DAY).toISOString();
}

/** Trust, a delegation, a turn, and eight actions with their outcomes, at 3 to 18. */
async function log(retention?: number): Promise<{ made: Deployment; root: string }> {
  const made = await Deployment.make(retention === undefined ? {} : { retention });
  made.open(await emitterOf(made.enforcer, { until: NOW + 400 * 86_400 }));
  const root = made.append(made.delegation());
  const interaction = made.append(made.interaction(root, 8));
  for (let i = 0; i < 8; i++) {
    const action = made.append(made.action(root, { action: `call-${i}`, interaction }));
    made.append(outcome(action, { action: `call-${i}` }));
  }
  return { made, root };
}

function pruning(change: object = {}): EntryPayload {
  return {
    v: 1,
    type: "pruning",
    at: after(190),
    before: after(1),
    ranges: [
      [5, 10],
      [13, 14],
    ],
    counts: { action: 4, outcome: 4 },
    content: {},
    links: {},
    ...change,
  } as EntryPayload;
}

/** The log without the text of these entries. */
function without(made: Deployment, gone: (i: number) => boolean): Parameters<Deployment["verify"]>[0] {
  return { entries: part(made.entries, (i) => !gone(i)), whole: true };
}

const isGone = (i: number): boolean => (i >= 5 && i <= 10) || i === 13 || i === 14;

test("what an entry says was pruned is pruned; everything else that is hidden is missing", async () => {
  const { made } = await log();
  made.append(pruning());
  const report = await made.verify(without(made, isGone));
  expect(said(report)).toEqual(["20 pruned entries_pruned"]);
  expect(report).toMatchObject({
    ok: true,
    hidden: 8,
    pruned: 8,
    proven: 12,
    counts: { pruning: 1, action: 4 },
  });
  const more = await made.verify(without(made, (i) => isGone(i) || i === 15 || i === 16));
  expect(said(more)).toEqual(["20 pruned entries_pruned", "20 missing entries_hidden"]);
  expect(more).toMatchObject({ ok: false, hidden: 10, pruned: 8 });
});

test("without such an entry nothing is pruned, and only a part of a log may hide it", async () => {
  const { made } = await log();
  const whole = await made.verify(without(made, isGone));
  expect(said(whole)).toEqual(["19 missing entries_hidden"]);
  const { entries } = without(made, isGone)!;
  expect(said(await made.verify({ entries: entries! }))).toEqual(["19 not_shown entries_hidden"]);
});

test("a part hides what was pruned together with what was not, and both are counted", async () => {
  const { made } = await log();
  made.append(pruning());
  const entries = part(made.entries, (i) => i < 3 || i >= 17);
  const report = await made.verify({ entries });
  expect(report).toMatchObject({ ok: true, hidden: 14, pruned: 8 });
  expect(said(report)).toEqual(["20 pruned entries_pruned", "20 not_shown entries_hidden"]);
});

test("what is said to be gone and is shown was not pruned", async () => {
  const { made } = await log();
  made.append(pruning());
  expect(said(await made.verify({ whole: true }))).toContain("19 failed not_pruned");
  const one = await made.verify(without(made, (i) => isGone(i) && i !== 8));
  expect(said(one)).toContain("19 failed not_pruned");
});

test.for<[string, object]>([
  ["of fewer entries than it counts", { counts: { action: 4, outcome: 5 } }],
  ["of more than it counts", { counts: { action: 4 } }],
  [
    "out of order",
    {
      ranges: [
        [13, 14],
        [5, 10],
      ],
    },
  ],
  [
    "that overlap",
    {
      ranges: [
        [5, 10],
        [10, 11],
      ],
    },
  ],
  ["turned around", { ranges: [[10, 5]], counts: {} }],
  ["of itself", { ranges: [[19, 19]], counts: { action: 1 } }],
  ["of what is not written yet", { ranges: [[18, 100]], counts: { action: 83 } }],
])("ranges %s account for nothing", async ([, change]) => {
  const { made } = await log();
  made.append(pruning(change));
  const report = await made.verify(without(made, isGone));
  expect(said(report)).toEqual(["19 failed pruning_mismatch", "20 missing entries_hidden"]);
});

test("an entry is pruned once", async () => {
  const { made } = await log();
  made.append(pruning());
  made.append(pruning({ ranges: [[9, 10]], counts: { action: 1, outcome: 1 } }));
  expect(said(await made.verify(without(made, isGone)))).toContain("20 failed pruning_mismatch");
});

test("what is younger than is kept was pruned early, whatever its entry says", async () => {
  for (const [days, retention, found] of [
    [184, undefined, ["19 failed pruned_early"]],
    [186, undefined, []],
    [10, 10, ["19 failed pruned_early"]],
    [12, 10, []],
    [2, 0, []],
  ] as const) {
    const { made } = await log(retention);
    made.append(pruning({ at: after(days) }));
    expect([days, ...said(await made.verify(without(made, isGone)))]).toEqual([
      days,
      ...found,
      "20 pruned entries_pruned",
    ]);
  }
});

test("nothing goes that stands after something younger", async () => {
  const { made, root } = await log();
  made.append(made.delegation({ jti: "second", leaf: digest("second"), at: after(100) }));
  const action = made.append(made.action(root, { action: "late" }));
  made.append(outcome(action, { action: "late" }));
  made.append(pruning({ ranges: [[20, 21]], counts: { action: 1, outcome: 1 } }));
  expect(said(await made.verify(without(made, (i) => i === 20 || i === 21)))).toContain(
    "22 failed pruned_early",
  );
});

test("a clock that was set ahead to prune is shown by what is written when it is right again", async () => {
  const { made } = await log();
  made.append(pruning());
  const later = (days: number) => ({ at: after(days), jti: `later-${days}`, leaf: digest(String(days)) });
  made.append(made.delegation(later(190)));
  const gone = without(made, isGone);
  expect((await made.verify(gone)).ok).toBe(true);
  made.append(made.delegation(later(100)));
  made.append(made.delegation(later(99)));
  expect(said(await made.verify(without(made, isGone)))).toEqual([
    "19 failed pruned_early",
    "23 pruned entries_pruned",
  ]);
});

test("a witness who has seen the log meanwhile knows how old it was", async () => {
  const signer = await key();
  const witness = { name: "w.example/1", jwk: signer.jwk };
  const seenAt = async (size: number, days: number): Promise<LogReport> => {
    const head = made.head(made.entries.slice(0, size));
    const note = signCheckpoint({ origin: ORIGIN, ...head }, made.emitter.signer);
    const cosigned = [note + (await cosign(note, witness.name, NOW + days * 86_400, signer))];
    const entries = part(made.entries, (i) => !isGone(i), [size]);
    return made.verify({ entries, whole: true, cosigned, witnesses: { need: 1, keys: [witness] } });
  };
  const { made } = await log();
  made.append(pruning());
  // It had seen all of it when that was written; or, nothing that stands from 6 on three days later.
  expect(said(await seenAt(19, 0))).toEqual(["20 pruned entries_pruned"]);
  expect(said(await seenAt(6, 3))).toContain("19 failed pruned_early");
  // It saw what was pruned gone after a hundred days.
  expect(said(await seenAt(20, 100))).toContain("19 failed pruned_early");
  expect(said(await seenAt(20, 200))).toEqual(["20 pruned entries_pruned"]);
});

test("while a hold on everybody is in force nothing is pruned", async () => {
  const hold = {
    v: 1,
    type: "erasure",
    at: AT,
    kind: "hold",
    content: { reason: digest("r") },
    links: {},
  } as const;
  for (const [principals, found] of [
    [undefined, ["20 failed pruned_under_hold"]],
    [["p-9"], []],
  ] as const) {
    const { made } = await log();
    made.append({ ...hold, ...(principals && { principals }) } as EntryPayload);
    made.append(pruning());
    expect(said(await made.verify(without(made, isGone)))).toEqual([...found, "21 pruned entries_pruned"]);
  }
});

test("what a kept entry links to cannot go unnoticed", async () => {
  const { made } = await log();
  made.append(pruning({ ranges: [[1, 1]], counts: { delegation: 1 } }));
  const report = await made.verify(without(made, (i) => i === 1));
  expect(report.ok).toBe(false);
  expect(said(report)).toContain("2 failed link_broken");
});
