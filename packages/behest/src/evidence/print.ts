import type { EvidenceRecord, EvidenceReport } from "@behest/evidence";
import { type Cell, bad, bold, dim, good, print, printFacts, printTable } from "../output.ts";
import { clockTime } from "../time.ts";
import { printFindings } from "../verify/findings.ts";
import { printMarks, sentence, witnessFacts } from "../verify/report.ts";

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
/** Worst first. */
const UNPROVEN = ["failed", "missing", "erased", "pruned", "not_shown"] as const;

export function printEvidence(
  { log, records, findings, ok }: EvidenceReport,
  { owner, pinnedHere }: { readonly owner: string; readonly pinnedHere: boolean },
): void {
  const { origin = "-", size, root, hidden, pruned, rung } = log;
  printFacts([
    ["log", bold(rung ? `${origin} (rung ${rung}: all its keys were made on one machine)` : origin)],
    ["owner", owner],
    [
      "entries",
      `${hidden > 0 ? `${size - hidden} of ${size} are shown` : `${size}, all shown`}${pruned > 0 ? `, ${pruned} were pruned` : ""}`,
    ],
    ["records", String(records.length)],
    ["head", `${size}:${root}`],
    ...witnessFacts(log),
  ]);
  print();
  if (records.length > 0) {
    printTable(
      ["record", "at", "principal", "agent", "tool", "verdict", "code", "outcome", "proof"],
      records.map(row),
      { whole: true },
    );
    print();
  }
  printMarks({
    shadow: records.filter(({ enforce }) => enforce).length,
    observed: records.filter(({ observed }) => observed).length,
    overridden: records.filter(({ override }) => override).length,
  });
  printFindings(findings);
  print(ok ? good("Verified. ") : bad("Not verified. "), sentence(log));
  if (pinnedHere)
    print(dim("The owner was taken from this folder. A stranger pins it: --owner, got from the owner."));
}

function row(record: EvidenceRecord): Cell[] {
  const { index, at, principal, agent, tool, code, result, states } = record;
  const unnamed = states.authority === "erased" ? dim("(erased)") : "-";
  return [
    `#${index}`,
    clockTime(Date.parse(at)),
    principal?.subject ?? unnamed,
    agent ?? unnamed,
    tool,
    verdictOf(record),
    code,
    result ?? "-",
    proofOf(states),
  ];
}

/** `proven`, or which aspects are not: `failed: entry; not shown: grant, content`. */
function proofOf(states: EvidenceRecord["states"]): Cell {
  const parts = UNPROVEN.flatMap((state) => {
    const aspects = ASPECTS.filter((aspect) => states[aspect] === state);
    return aspects.length === 0 ? [] : [`${state.replace("_", " ")}: ${aspects.join(", ")}`];
  });
  if (parts.length === 0) return good("proven");
  const wrong = Object.values(states).some((state) => state === "failed" || state === "missing");
  return (wrong ? bad : dim)(parts.join("; "));
}

/** With what is out of the ordinary, as `records` says it. */
function verdictOf({ verdict, enforce, observed, override }: EvidenceRecord): Cell {
  if (enforce) return bad(`${verdict} (${observed ? "observed" : "shadow"})`);
  return override ? bad("permit (break-glass)") : VERDICTS[verdict];
}

const VERDICTS: { readonly [verdict in EvidenceRecord["verdict"]]: Cell } = {
  permit: "permit",
  deny: bad("deny"),
  ask: dim("ask"),
};
