import type { LogReport } from "@behest/provenance";
import { bad, bold, dim, good, print, printFacts } from "../output.ts";
import { type Finding, isStranger, printFindings } from "./findings.ts";

export type Verdicts = { readonly [verdict in "permit" | "deny" | "ask"]: number };

export interface Verification {
  readonly ok: boolean;
  readonly owner: string;
  readonly log: LogReport;
  /** In log order. */
  readonly findings: readonly Finding[];
  /** Entries in which nothing failed. */
  readonly proven: number;
  /** Of proven `action` entries. */
  readonly actions: Verdicts;
  /** `action` entries under which nothing was enforced. */
  readonly shadow: number;
  /** `action` entries that rest on an override. */
  readonly overridden: number;
  /** Delegations whose chain was judged; undefined where no store was there to have them. */
  readonly chains?: number;
}

export function asJson(verification: Verification): object {
  const { ok, owner, log, findings, proven, actions, shadow, overridden, chains } = verification;
  const { origin, rung, size, root, counts, observed, completeness, witnessed } = log;
  return {
    ok,
    owner,
    origin,
    rung,
    head: `${size}:${root}`,
    entries: size,
    proven,
    counts,
    actions,
    shadow,
    observed,
    overridden,
    chains,
    erased: log.erased.length,
    pruned: log.pruned,
    completeness,
    witnessed,
    findings,
  };
}

/** `pinnedHere`: the owner came from the folder that is being verified. */
export function printVerification(
  { owner, log, findings, proven, actions, shadow, overridden, chains, ok }: Verification,
  pinnedHere: boolean,
): void {
  const { origin = "-", size, root, counts } = log;
  const { permit, deny, ask } = actions;
  printFacts([
    ["log", bold(log.rung ? `${origin} (rung ${log.rung}: all its keys were made on one machine)` : origin)],
    ["owner", owner],
    ["entries", `${size}, ${proven} proven${log.pruned > 0 ? `, ${log.pruned} pruned` : ""}`],
    ["actions", `${permit} permitted, ${deny} denied${ask > 0 ? `, ${ask} asked` : ""}`],
    ...(counts.approval > 0 ? [["approvals", String(counts.approval)] as const] : []),
    ...(counts.revocation > 0 ? [["revocations", String(counts.revocation)] as const] : []),
    ["principals", `${counts.principals}${log.erased.length > 0 ? `, ${log.erased.length} erased` : ""}`],
    [
      "delegations",
      `${counts.delegation}, ${chains === undefined ? "their chains are not shown" : `${chains} with their chains`}`,
    ],
    ["head", `${size}:${root}`],
    ...witnessFacts(log),
  ]);
  printMarks({ shadow, observed: log.observed, overridden });
  printFindings(findings);
  print(ok ? good("Verified. ") : bad("Not verified. "), sentence(log));
  if (pinnedHere)
    print(
      dim(
        "The owner was taken from .behest/config.json here. A stranger pins it: --owner, got from the owner.",
      ),
    );
}

export function witnessFacts({ witnessed }: LogReport): (readonly [string, string])[] {
  return witnessed.map(({ name, at, size }) => [
    "witness",
    `${name} has cosigned ${size} entries, ${new Date(at * 1000).toISOString()}`,
  ]);
}

/** How many actions were not enforced, rest on no delegation, or went ahead under an override: said wherever there are any. */
export function printMarks({
  shadow,
  observed,
  overridden,
}: {
  readonly shadow: number;
  readonly observed: number;
  readonly overridden: number;
}): void {
  if (shadow > 0) print(bad(`${shadow} actions were only tried out: nothing was enforced for them.`));
  if (observed > 0) print(bad(`${observed} of them were observed without a delegation.`));
  if (overridden > 0) print(bad(`${overridden} actions went ahead under break-glass.`));
}

export function sentence({ completeness: found, findings }: LogReport): string {
  if (findings.some(isStranger))
    return "Another owner has signed it than the one who is pinned: compare the thumbprint with the owner's, character by character.";
  switch (found) {
    case "not consistent":
      return "The entries and the checkpoint do not belong together.";
    case "consistent, not proven complete":
      return "Consistent, not proven complete: only a head that somebody else has kept (--head, --heads, --witness) shows that nothing was cut off or rewritten.";
    default:
      return `Complete up to the head that was kept (${found.slice("complete up to ".length)}).`;
  }
}
