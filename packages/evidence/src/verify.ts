import type { Cedar } from "@behest/core/replay";
import { type EvidenceBundle, type LogEvidence, verifyLog } from "@behest/provenance";
import { Chains } from "./chains.ts";
import { entriesOf } from "./parts.ts";
import { Judging } from "./records.ts";
import type { EvidenceFinding, EvidenceReport } from "./report.ts";
import { sourceOf } from "./source.ts";

/** What others hold of the log, as for `verifyLog`; what witnesses cosigned may come with the bundle as well. */
export interface EvidenceOptions extends Pick<LogEvidence, "head" | "heads" | "cosigned" | "witnesses"> {
  /** RFC 7638 thumbprint of the owner's key, got from the owner and not with the bundle: all that is taken on trust. */
  readonly owner: string;
  /** Evaluates policies. Default: the one for Node, where it can be loaded; browsers hand over `@cedar-policy/cedar-wasm/web`. */
  readonly cedar?: Cedar;
}

/**
 * Verifies a bundle, offline, from the owner's thumbprint alone: every signature and role at its index, the tree, each
 * chain of authority as of its time, that actions lay within their grants, approvals, outcomes and revocations; and
 * evaluates grants and policies again. Never throws for what it reads: whatever is not proven is a finding.
 */
export async function verifyEvidence(
  bundle: EvidenceBundle,
  options: EvidenceOptions,
): Promise<EvidenceReport> {
  const { owner, cedar: given, cosigned = [], ...held } = options;
  const { log: entries, checkpoint } = bundle;
  const notes = bundle.cosigned === undefined ? cosigned : [...cosigned, bundle.cosigned];
  const log = await verifyLog({ ...held, entries, checkpoint, owner, cosigned: notes });
  const cedar = given ?? (await defaultCedar());
  const chains = new Chains(sourceOf(bundle), owner);
  const judging = new Judging({ bundle, log, chains, cedar });
  for (const entry of entriesOf(bundle)) {
    // What stands under no checkpoint is no part of the log.
    if (entry.index >= log.size) break;
    await chains.read(entry.index, entry);
    await judging.read(entry);
  }
  const findings = [...logFindings(log.findings, chains, judging), ...chains.findings, ...judging.findings];
  return {
    ok: log.ok && findings.every(({ state }) => state !== "failed" && state !== "missing"),
    log,
    ...judging.close(findings),
    findings: findings.toSorted((a, b) => a.index - b.index),
  };
}

/** What the log alone does not show, and the bundle does, is judged here. */
function logFindings(
  findings: readonly EvidenceFinding[],
  chains: Chains,
  { told }: Judging,
): EvidenceFinding[] {
  return findings.filter(
    ({ code, index }) =>
      !(code === "token_not_shown" && chains.judged.has(index)) &&
      !(code === "cut_not_shown" && told.has(index)),
  );
}

async function defaultCedar(): Promise<Cedar | undefined> {
  try {
    return (await import("@cedar-policy/cedar-wasm/nodejs")) as Cedar;
  } catch {
    return undefined;
  }
}
