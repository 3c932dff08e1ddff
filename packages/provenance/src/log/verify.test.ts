import { canonical } from "@behest/jws";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Deployment, NOW, ORIGIN, digest, emitterOf, key, outcome } from "../../test/deployment.ts";
import { type LogCode, type LogReport, headOf, signCheckpoint, signEntry } from "../index.ts";

/** Findings in short: `index code`, without what no log can show. */
function said(report: LogReport): string[] {
  return report.findings
    .filter(({ code }) => code !== "token_not_shown")
    .map(({ index, code }) => `${index} ${code}`);
}

test("a log that holds is proven from the owner's thumbprint, and says what it does not show", async () => {
  const made = await Deployment.withLog();
  const report = await made.verify();
  const { size, root } = made.head();
  expect(report).toEqual({
    ok: true,
    origin: ORIGIN,
    size,
    root: headOf({ size, root }).split(":")[1],
    hidden: 0,
    pruned: 0,
    proven: size,
    counts: {
      trust: 1,
      delegation: 1,
      interaction: 1,
      action: 2,
      approval: 0,
      outcome: 2,
      revocation: 0,
      erasure: 0,
      access: 0,
      pruning: 0,
      principals: 1,
    },
    observed: 0,
    erased: [],
    findings: [
      {
        index: 1,
        check: "delegation",
        state: "not_shown",
        code: "token_not_shown",
        message: expect.any(String),
      },
    ],
    completeness: "consistent, not proven complete",
    witnessed: [],
  });
});

test("thousands of proven entries are counts, not findings, and may come as a stream", async () => {
  const made = await Deployment.withLog(600);
  async function* stream(): AsyncGenerator<string> {
    yield* made.entries;
  }
  const report = await made.verify({ entries: stream() });
  expect(report).toMatchObject({ ok: true, size: 1203, proven: 1203, counts: { action: 600, outcome: 600 } });
  expect(report.findings).toHaveLength(1);
});

test("an entry with any character changed is found, by its index", async () => {
  const made = await Deployment.withLog(1);
  const checkpoint = made.checkpoint();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(made.entries.length - 1),
      fc.nat(),
      fc.constantFrom("A", "z", "0", "-", ".", "é"),
      async (i, at, to) => {
        const jws = made.entries[i]!;
        const changed = jws.slice(0, at % jws.length) + to + jws.slice((at % jws.length) + 1);
        fc.pre(changed !== jws);
        const report = await made.verify({ entries: made.entries.with(i, changed), checkpoint });
        expect(report).toMatchObject({ ok: false, completeness: "not consistent" });
        expect(report.findings).toContainEqual(expect.objectContaining({ index: i, state: "failed" }));
      },
    ),
  );
});

test("entries swapped, dropped or repeated are found, under the old checkpoint and under a new one", async () => {
  const made = await Deployment.withLog();
  const whole = made.entries;
  const checkpoint = made.checkpoint();
  for (let i = 0; i < whole.length - 1; i++)
    for (const entries of [
      whole.with(i, whole[i + 1]!).with(i + 1, whole[i]!),
      whole.toSpliced(i, 1),
      whole.toSpliced(i, 0, whole[i]!),
    ]) {
      expect(await made.verify({ entries, checkpoint })).toMatchObject({
        ok: false,
        completeness: "not consistent",
      });
      made.entries = entries;
      expect(await made.verify()).toMatchObject({ ok: false });
      made.entries = whole;
    }
});

test("a lost entry is a gap in its emitter's counting", async () => {
  const made = await Deployment.withLog();
  made.entries.splice(5, 2);
  made.append(made.delegation({ leaf: digest("second") }));
  const report = await made.verify();
  expect(report).toMatchObject({ ok: false, proven: 6 });
  expect(report.findings).toContainEqual(
    expect.objectContaining({
      index: 5,
      state: "missing",
      code: "sequence_gap",
      message: "2 earlier entries of its emitter",
    }),
  );
});

test("a number that an emitter used before is refused", async () => {
  const made = await Deployment.withLog();
  made.emitter.seq--;
  made.append(made.delegation());
  expect(said(await made.verify())).toEqual(["7 sequence_repeated"]);
});

test("without a held head a cut tail cannot be seen, and the report says so; with one it is missing", async () => {
  const made = await Deployment.withLog();
  const held = made.head();
  made.entries.splice(5);
  expect(await made.verify()).toMatchObject({ ok: true, completeness: "consistent, not proven complete" });
  const report = await made.verify({ head: held });
  expect(report).toMatchObject({ ok: false, completeness: "not consistent" });
  expect(report.findings.at(-1)).toMatchObject({ index: 5, state: "missing", code: "entries_missing" });
});

test("a log that extends the held head is complete up to it; a rewritten one is not", async () => {
  const made = await Deployment.withLog();
  for (const size of [0, 3, made.entries.length]) {
    const head = made.head(made.entries.slice(0, size));
    expect(await made.verify({ head })).toMatchObject({
      ok: true,
      completeness: `complete up to ${headOf(head)}`,
    });
  }
  const head = made.head();
  const rewritten = await Deployment.make();
  Object.assign(rewritten, {
    owner: made.owner,
    issuer: made.issuer,
    enforcer: made.enforcer,
    trust: made.trust,
  });
  rewritten.open(await emitterOf(made.enforcer));
  const delegation = rewritten.append(rewritten.delegation());
  for (let i = 0; i < 6; i++) {
    const action = rewritten.append(rewritten.action(delegation, { action: `other-${i}` }));
    rewritten.append(outcome(action, { action: `other-${i}` }));
  }
  expect(await rewritten.verify()).toMatchObject({ ok: true });
  const report = await rewritten.verify({ head });
  expect(report).toMatchObject({ ok: false, completeness: "not consistent" });
  expect(said(report)).toEqual([`${head.size} head_mismatch`]);
});

test("every failure of checkpoint and head is told, not only the first", async () => {
  const made = await Deployment.withLog();
  const head = { size: 3, root: new Uint8Array(32) };
  const checkpoint = signCheckpoint(
    { origin: ORIGIN, size: 7, root: new Uint8Array(32) },
    made.emitter.signer,
  );
  expect(said(await made.verify({ head, checkpoint }))).toEqual(["7 root_mismatch", "3 head_mismatch"]);
});

test.each<[string, (made: Deployment) => Promise<string> | string, string]>([
  ["no note", () => "", "0 malformed_checkpoint"],
  ["with a malformed line", (made) => `${made.checkpoint()}— x\n`, "0 malformed_checkpoint"],
  ["of an uncertified key", async (made) => made.checkpoint(await key()), "7 signature_invalid"],
  ["of the enforcer itself", (made) => made.checkpoint(made.enforcer), "7 signature_invalid"],
  [
    "of another log",
    (made) => made.checkpoint(made.emitter.signer, "log.example/other"),
    "7 origin_mismatch",
  ],
  ["whose signature is moved from another", (made) => moved(made), "7 signature_invalid"],
  ["of more entries", (made) => note(made, made.entries.length + 1), "7 entries_missing"],
  ["of fewer entries", (made) => note(made, 6), "6 entries_beyond_checkpoint"],
])("a checkpoint %s proves nothing", async (_, checkpoint, finding) => {
  const made = await Deployment.withLog();
  const report = await made.verify({ checkpoint: await checkpoint(made) });
  expect(report.ok).toBe(false);
  expect(said(report)).toContain(finding);
});

function note(made: Deployment, size: number): string {
  const { root } = made.head(made.entries.slice(0, size));
  return signCheckpoint({ origin: ORIGIN, size, root }, made.emitter.signer);
}

function moved(made: Deployment): string {
  return `${made.checkpoint().split("\n\n")[0]}\n\n${note(made, 3).split("\n\n")[1]}`;
}

test("further signatures on a checkpoint change nothing", async () => {
  const made = await Deployment.withLog();
  const other = made.checkpoint(await key()).split("\n\n")[1]!;
  const [text, ours] = made.checkpoint().split("\n\n") as [string, string];
  expect(
    await made.verify({ checkpoint: `${text}\n\n${other}${ours}— witness.example AAAAAAAAAAAA\n` }),
  ).toMatchObject({ ok: true });
});

test("a key whose certificate had ended before the last entry signs no checkpoint", async () => {
  const made = await Deployment.withLog();
  const old = made.emitter;
  made.open(await emitterOf(made.enforcer, { until: NOW + 7200 }), null);
  made.append({ ...made.delegation(), at: new Date((NOW + 7000) * 1000).toISOString() } as never);
  expect(await made.verify()).toMatchObject({ ok: true });
  expect(said(await made.verify({ checkpoint: made.checkpoint(old.signer) }))).toEqual([
    "9 signature_invalid",
  ]);
});

test("nothing is a log without its first entry", async () => {
  const made = await Deployment.make();
  const report = await made.verify();
  expect(report).toMatchObject({ ok: false, size: 0, completeness: "not consistent" });
  expect(report.findings.map(({ code }) => code)).toContain("trust_missing");
});

test("under another owner's pin nothing is proven", async () => {
  const made = await Deployment.withLog();
  const report = await made.verify({ owner: (await Deployment.make()).pin });
  const others = Array.from({ length: 6 }, (_, i) => `${i + 1} trust_missing`);
  expect(said(report)).toEqual(["0 owner_mismatch", ...others, "7 signature_invalid"]);
  expect(report).toMatchObject({ ok: false, proven: 0 });
});

test("what an unproven entry says supports nothing else", async () => {
  const made = await Deployment.make();
  made.open();
  const delegation = made.append(made.delegation());
  const stranger = await key();
  const action = made.push(signEntry(canonical(made.action(delegation, { action: "a" })), 2, stranger));
  made.append(outcome(action, { action: "a" }));
  expect(said(await made.verify())).toEqual(["2 key_not_certified", "3 link_broken"]);
});

test("a key that poses as a certified one is found", async () => {
  const made = await Deployment.withLog();
  const thief = await key();
  const posing = { jwk: made.emitter.signer.jwk, sign: (bytes: Uint8Array) => thief.sign(bytes) };
  made.push(signEntry(canonical(made.delegation()), 7, posing));
  made.push(signEntry(canonical(made.delegation()), 8, thief));
  expect(said(await made.verify())).toEqual(["7 signature_invalid", "8 key_not_certified"]);
});

test("findings use codes only, never what stands in an entry", async () => {
  const made = await Deployment.make();
  made.open();
  made.append({ ...made.delegation(), principal: "alice@example.com", depth: -1 } as never);
  made.append(made.delegation({ principal: "alice@example.com", depth: 3 }));
  const report = await made.verify();
  expect(report.findings.map(({ code }) => code)).toEqual<LogCode[]>([
    "malformed_entry",
    "sequence_gap",
    "delegation_mismatch",
  ]);
  expect(JSON.stringify(report)).not.toContain("alice");
});
