import { expect, test } from "vitest";
import { AT, Deployment, NOW, digest, emitterOf, outcome } from "../../test/deployment.ts";
import type { EntryPayload, ErasureEntry, LogReport } from "../index.ts";

const DAY = 86_400_000;

function said({ findings }: LogReport): string[] {
  const known = new Set(["token_not_shown", "outcome_not_shown"]);
  return findings
    .filter(({ code }) => !known.has(code))
    .map(({ index, state, code }) => `${index} ${state} ${code}`);
}

/** `days` after everything else was recorded. */
function after(days: number): string {
  return new Date(Date.parse(AT) + days * DAY).toISOString();
}

/** An entry key that is certified for as long as the log is here. */
async function log(retention?: number): Promise<{ made: Deployment; root: string; action: string }> {
  const made = await Deployment.make(retention === undefined ? {} : { retention });
  made.open(await emitterOf(made.enforcer, { until: NOW + 400 * 86_400 }));
  const root = made.append(made.delegation());
  const action = made.append(made.action(root, { action: "call-0" }));
  return { made, root, action };
}

function erasure(change: object): EntryPayload {
  return {
    v: 1,
    type: "erasure",
    at: after(200),
    kind: "principal",
    principals: ["p-1"],
    content: { reason: digest("reason") },
    links: {},
    ...change,
  } as ErasureEntry;
}

test("what an erasure names is erased; what none names is only not shown", async () => {
  const { made } = await log();
  made.append(made.delegation({ jti: "root-2", leaf: digest("other"), principal: "p-2" }));
  made.append(erasure({}));
  const report = await made.verify();
  expect(said(report)).toEqual(["1 erased content_erased"]);
  expect(report).toMatchObject({ ok: true, erased: ["p-1"], counts: { erasure: 1, principals: 2 } });
  expect(report.findings).toContainEqual(
    expect.objectContaining({ index: 3, state: "not_shown", code: "token_not_shown" }),
  );
});

test("nothing is recorded of a principal after its erasure, but how it ended what had started", async () => {
  const { made, root, action } = await log();
  made.append(erasure({}));
  const late = { at: after(201) };
  made.append(outcome(action, { action: "call-0", ...late }));
  made.append(made.action(root, { action: "call-1", change: late }));
  made.append(made.action(root, { action: "call-2", change: { ...late, verdict: "deny", attempt: 0 } }));
  made.append({ ...made.interaction(root), ...late });
  made.append(made.delegation({ jti: "root-2", leaf: digest("other"), ...late }));
  expect(said(await made.verify())).toEqual([
    "1 erased content_erased",
    ...[5, 6, 7, 8].map((index) => `${index} failed recorded_after_erasure`),
  ]);
});

test("what is younger than is kept is erased only by an entry that says so", async () => {
  for (const [days, retention, change, found] of [
    [183, undefined, {}, ["3 failed erased_early"]],
    [185, undefined, {}, []],
    [183, undefined, { early: true }, []],
    [9, 10, {}, ["3 failed erased_early"]],
    [11, 10, {}, []],
    [0, 0, {}, []],
  ] as const) {
    const { made } = await log(retention);
    made.append(erasure({ at: after(days), ...change }));
    expect([days, ...said(await made.verify())]).toEqual([days, "1 erased content_erased", ...found]);
  }
});

test("an outcome is recorded of its principal, too", async () => {
  const { made, action } = await log();
  made.append(outcome(action, { action: "call-0", at: after(100) }));
  made.append(erasure({}));
  expect(said(await made.verify())).toContain("4 failed erased_early");
});

test("under a hold nothing is erased, by whatever entry; once it is released it is", async () => {
  for (const hold of [{}, { principals: ["p-1"] }, { principals: ["p-0", "p-1"] }]) {
    const { made } = await log();
    const { principals: _, ...everybody } = erasure({ kind: "hold" }) as { principals?: unknown };
    const held = made.append({ ...everybody, ...hold } as EntryPayload);
    made.append(erasure({ early: true }));
    expect(said(await made.verify())).toEqual(["1 erased content_erased", "4 failed erased_under_hold"]);
    made.entries.pop();
    made.emitter.seq--;
    const release = { ...everybody, kind: "release", links: { hold: held } } as unknown as EntryPayload;
    made.append(release);
    made.append(erasure({}));
    expect(said(await made.verify())).toEqual(["1 erased content_erased"]);
    made.append(release);
    expect(said(await made.verify())).toContain("6 failed link_broken");
  }
});

test("a hold of others does not hold", async () => {
  const { made } = await log();
  made.append(erasure({ kind: "hold", principals: ["p-2"] }));
  made.append(erasure({}));
  expect(said(await made.verify())).toEqual(["1 erased content_erased"]);
});

test("whoever reads is a principal as well: what was read counts for retention, and nobody reads when erased", async () => {
  const { made } = await log();
  const access = {
    v: 1,
    type: "access",
    by: "p-9",
    what: "records",
    principals: ["p-1"],
    content: {},
    links: {},
  } as const;
  made.append({ ...access, at: after(100) });
  made.append(erasure({ principals: ["p-9"] }));
  made.append({ ...access, at: after(201) });
  expect(said(await made.verify())).toEqual(["4 failed erased_early", "5 failed recorded_after_erasure"]);
});
