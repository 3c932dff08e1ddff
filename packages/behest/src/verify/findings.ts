import type { LogFinding } from "@behest/provenance";
import { type Cell, bad, dim, print } from "../output.ts";

/** A part of a log that is not proven; beside those of `verifyLog`, those that only chains and listing show. */
export type Finding = Omit<LogFinding, "check" | "code"> & { readonly check: string; readonly code: string };

/** Findings of one code and state, so many of which are printed. */
const MOST = 5;

/**
 * What is not proven, alike beside alike. Where the log is another owner's, everything follows from that alone; and of
 * many that are alike a few are enough: `--json` has all.
 */
export function printFindings(findings: readonly Finding[]): void {
  const stranger = findings.find(isStranger);
  if (stranger) return printOne(stranger);
  for (const [, alike] of Map.groupBy(findings, ({ code, state }) => `${state} ${code}`)) {
    for (const finding of alike.slice(0, MOST)) printOne(finding);
    if (alike.length > MOST)
      print(dim(`… and ${alike.length - MOST} more of ${alike[0]!.code}; --json has all`));
  }
}

/** The log was begun by another owner than the pinned one. */
export function isStranger({ index, code }: { readonly index: number; readonly code: string }): boolean {
  return index === 0 && code === "owner_mismatch";
}

function printOne({ index, check, state, code, message }: Finding): void {
  print(`#${index}  `, STATES[state], `  ${check}  ${code}  ${message}`);
}

const STATES: { readonly [state in Finding["state"]]: Cell } = {
  failed: bad("failed"),
  missing: bad("missing"),
  erased: dim("erased"),
  pruned: dim("pruned"),
  not_shown: dim("not shown"),
};
