import { afterAll, expect, test } from "vitest";
import { type Framework, type Played, play } from "./play.ts";
import { policedSuites } from "./policed.ts";
import { recorded } from "./recordings.ts";
import { sampled, suites, textForList } from "./suites.ts";
import { askedSummary, summary } from "./tally.ts";

/** Nothing here is a matter of time: on a busy machine it takes longer. */
const timeout = 600_000;

/** The smallest suite's log is also verified as a stranger would. */
const VERIFIED = "banking";

/** Through both adapters all runs take a minute of CPU time, so that usually a fixed sample is run: see `sampled`. */
const ALL = process.env["BEHEST_REPLAY"] === "all";

/** The tests of an adapter: recorded runs through it, each under its own delegation. */
export function replayThrough(framework: Framework): void {
  const known = recorded ? suites() : [];
  const all: Played[] = [];
  if (!recorded) console.log("skipped: recorded runs (../shared/replay is absent)");
  afterAll(() => {
    if (all.length > 0) console.log(summary(framework.name, all, known));
  });

  for (const suite of known)
    test(
      `${suite.name}: no call outside the grants runs, every call inside them does`,
      { timeout },
      async () => {
        const played = await play(framework, ALL ? suite : sampled(suite));
        all.push(played);
        expectDecided(played);
        if (suite.name === VERIFIED) await expectProven(played);
      },
    );

  const policed = recorded ? policedSuites() : [];
  const asked: Played[] = [];
  afterAll(() => {
    if (asked.length > 0) console.log(askedSummary(framework.name, asked, policed));
  });

  for (const suite of policed)
    test(
      `${suite.name}: under the shipped policies a person is asked where there is need, and what is not approved does not run`,
      { timeout },
      async () => {
        const played = await play(framework, ALL ? suite : sampled(suite));
        asked.push(played);
        expectDecided(played);
      },
    );

  test.skipIf(!recorded)(
    "a text where a list is due does not run, even where that very address is granted",
    async () => {
      const mails = textForList(known.find(({ name }) => name === "workspace")!);
      expect(mails.runs).toHaveLength(6);
      expectDecided(await play(framework, mails));
    },
  );
}

/** Each call met its expected fate, and the records say the same: one per call that came to us, and one per ask. */
function expectDecided({ suite, calls, records }: Played): void {
  // Named only: what the calls carry is other people's data.
  const wrong = calls.filter(({ fate, expected }) => fate !== expected);
  expect(
    wrong.map(({ run, call, fate, expected }) => `${run.id} ${call.tool}: ${fate}, not ${expected}`),
  ).toEqual([]);
  const due = calls.flatMap(({ session, call, fate, inside, asked }) => {
    // A tool that there is not is refused without its made-up name.
    if (!suite.specs.some(({ name }) => name === call.tool)) return [`${session} (unnamed) deny`];
    if (fate === "malformed") return [];
    const decided = `${session} ${call.tool} ${fate === "ran" ? "permit done" : "deny"}`;
    return inside && asked ? [`${session} ${call.tool} ask`, decided] : [decided];
  });
  const kept = records.map(({ session, tool, verdict, outcome = "" }) =>
    `${session} ${tool} ${verdict} ${outcome}`.trim(),
  );
  expect(kept.toSorted()).toEqual(due.toSorted());
  const codes = new Set(records.map(({ code }) => code));
  const known = ["ok", "tool_not_granted", "argument_not_granted", "approval_needed", "approval_denied"];
  expect(known).toEqual(expect.arrayContaining([...codes]));
}

/** What can be proven from the owner's thumbprint alone: no entry fails, and there is one action entry a call. */
async function expectProven({ suite, calls, verify }: Played): Promise<void> {
  const report = await verify();
  expect(report.findings.filter(({ code }) => code !== "token_not_shown")).toEqual([]);
  expect(report.ok).toBe(true);
  expect(report.proven).toBe(report.size);
  expect(report.counts).toMatchObject({
    delegation: suite.runs.length,
    // Each turn that calls something, and the last one, that calls nothing.
    interaction: suite.runs.reduce((sum, { turns }) => sum + turns.length + 1, 0),
    action: calls.filter(({ fate }) => fate !== "malformed").length,
    outcome: calls.filter(({ fate }) => fate === "ran").length,
  });
}
