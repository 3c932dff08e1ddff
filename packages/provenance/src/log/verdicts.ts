import type { ActionEntry, EntryFinding } from "../payload.ts";
import { Refusal } from "./report.ts";

/** Whose denials an override lifts. */
const LIFTED: ReadonlySet<string> = new Set(["policy", "approval"]);
/** What stops nothing: which agent runs is recorded, and that an override is in force is settled with approvals. */
const TOLD: ReadonlySet<string> = new Set(["ok", "identity_mismatch", "break_glass"]);

/**
 * Nothing starts, or waits for persons alone, on what a check has refused: each found nothing against it, or what an
 * override lifts. Under shadow nothing was enforced, and the entry says so.
 */
export function checkVerdict({ verdict, findings, enforce, links }: ActionEntry): void {
  if (verdict === "deny" || enforce === "shadow") return;
  const stands = ({ check, code }: EntryFinding): boolean =>
    TOLD.has(code) ||
    (verdict === "ask" ? code === "approval_needed" : links.override !== undefined && LIFTED.has(check));
  if (!findings.every(stands))
    throw new Refusal("entry", "verdict_contradicted", "its findings speak against its verdict");
}
