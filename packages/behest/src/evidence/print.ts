import type { EvidenceFinding, EvidenceRecord, EvidenceReport, State } from "@behest/evidence";
import { type Cell, bad, bold, dim, good, print, printFacts, printTable } from "../output.ts";
import { sentence } from "../verify/report.ts";

const ASPECTS = [
  "entry",
  "authority",
  "decision",
  "grant",
  "policy",
  "approval",
  "revocation",
  "outcome",
  "content",
] as const;

/** Findings of one code, so many of which are printed. */
const MOST = 5;

export function printEvidence(
  { log, records, findings, ok }: EvidenceReport,
  { owner, pinnedHere }: { readonly owner: string; readonly pinnedHere: boolean },
): void {
  const { origin = "-", size, root, hidden, rung } = log;
  printFacts([
    ["log", bold(rung ? `${origin} (rung ${rung}: all its keys were made on one machine)` : origin)],
    ["owner", owner],
    ["entries", hidden > 0 ? `${size - hidden} of ${size} are shown` : `${size}, all shown`],
    ["records", String(records.length)],
    ["head", `${size}:${root}`],
  ]);
  print();
  printTable(
    ["record", "at", "principal", "agent", "tool", "verdict", ...ASPECTS],
    records.map(({ index, at, principal, agent, tool, verdict, states }) => [
      `#${index}`,
      at,
      principal?.subject ?? "-",
      agent ?? "-",
      tool,
      VERDICTS[verdict],
      ...ASPECTS.map((aspect): Cell => (states[aspect] ? STATES[states[aspect]] : "-")),
    ]),
  );
  print();
  for (const [, same] of Map.groupBy(findings, ({ code, state }) => `${state} ${code}`)) printSome(same);
  print(ok ? good("Verified. ") : bad("Not verified. "), sentence(log));
  if (pinnedHere)
    print(dim("The owner was taken from this folder. A stranger pins it: --owner, got from the owner."));
}

function printSome(findings: readonly EvidenceFinding[]): void {
  for (const { index, check, state, code, message } of findings.slice(0, MOST))
    print(`#${index}  `, STATES[state], `  ${check}  ${code}  ${message}`);
  const [first] = findings;
  if (findings.length > MOST) print(dim(`… and ${findings.length - MOST} more of ${first!.code}`));
}

const VERDICTS: { readonly [verdict in EvidenceRecord["verdict"]]: Cell } = {
  permit: "permit",
  deny: bad("deny"),
  ask: dim("ask"),
};

const STATES: { readonly [state in State]: Cell } = {
  proven: good("proven"),
  failed: bad("failed"),
  missing: bad("missing"),
  erased: dim("erased"),
  not_shown: dim("not shown"),
};
