import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Deployment, digest } from "../../test/deployment.ts";
import { part } from "../../test/part.ts";
import { type LogReport, type Shown, entryHash, rootOf } from "../index.ts";

function codes({ findings }: LogReport): string[] {
  return findings
    .filter(({ code }) => code !== "token_not_shown")
    .map(({ index, code }) => `${index} ${code}`);
}

const made = await Deployment.withLog(40);
const { entries } = made;
/** Manifest, delegation, turn, and the last action with its outcome. */
const needed = (i: number): boolean => i < 3 || i >= entries.length - 2;

test("a part of a log proves what it shows, and says how much it does not", async () => {
  const shown = part(entries, needed);
  expect(shown.length).toBeLessThan(5 + 2 * Math.log2(entries.length));
  const report = await made.verify({ entries: shown });
  expect(report).toMatchObject({
    ok: true,
    size: entries.length,
    hidden: 78,
    proven: 5,
    counts: { action: 1 },
  });
  expect(codes(report)).toEqual([`${entries.length} entries_hidden`]);
});

test("any choice of whole actions verifies as the whole log does", async () => {
  const choice = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(choice, async (actions) => {
      const report = await made.verify({
        entries: part(entries, (i) => i < 3 || actions[Math.floor((i - 3) / 2)]!),
      });
      const shown = actions.filter(Boolean).length;
      expect(report).toMatchObject({
        ok: true,
        proven: 3 + 2 * shown,
        counts: { action: shown, outcome: shown },
      });
    }),
    { numRuns: 30 },
  );
});

test("a subtree that is not the log's, of another size, or left out is found", async () => {
  const shown = part(entries, needed);
  const at = shown.findIndex((one) => typeof one !== "string");
  const instead = async (...other: Shown[]): Promise<string[]> =>
    codes(await made.verify({ entries: shown.toSpliced(at, 1, ...other) }));
  const { level, hash } = shown[at] as Exclude<Shown, string>;
  expect(await instead({ level, hash: digest("another") })).toContain(`${entries.length} root_mismatch`);
  expect(await instead()).not.toEqual([]);
  for (const other of [level + 1, level + 2, -1, 0.5, 60])
    expect(await instead({ level: other, hash })).toContainEqual(
      expect.stringContaining("malformed_subtree"),
    );
  expect(await instead({ level, hash: "AAAA" })).toContainEqual(expect.stringContaining("malformed_subtree"));
  expect(await instead({ level, hash }, { level, hash })).not.toEqual([]);
});

test("what is hidden accounts for as many lost entries as it is, and for no more", async () => {
  const lost = await Deployment.withLog(1);
  lost.append(lost.delegation({ jti: "second" }));
  lost.emitter.seq += 2;
  lost.append(lost.delegation({ jti: "third" }));
  const report = await lost.verify({ entries: part(lost.entries, (i) => i !== 5) });
  expect(codes(report)).toContain("6 sequence_gap");
  expect(report.findings.find(({ code }) => code === "sequence_gap")?.message).toMatch(/^2 /);
});

test("an entry whose links are hidden is not proven", async () => {
  const report = await made.verify({ entries: part(entries, (i) => needed(i) && i !== 1) });
  expect(report.ok).toBe(false);
  expect(codes(report)).toContain("2 link_broken");
});

test("a held head is compared where the part is cut at it, and asked for where it is not", async () => {
  const head = made.head(entries.slice(0, 20));
  const cut = await made.verify({ entries: part(entries, needed, [20]), head });
  expect(cut).toMatchObject({ ok: true, completeness: expect.stringContaining("complete up to 20:") });
  const uncut = await made.verify({ entries: part(entries, needed), head });
  expect(uncut.ok).toBe(false);
  expect(codes(uncut)).toContain("20 head_not_comparable");
  const root = rootOf([entryHash("another")]);
  const forged = await made.verify({ entries: part(entries, needed, [20]), head: { size: 20, root } });
  expect(codes(forged)).toContain("20 head_mismatch");
});
