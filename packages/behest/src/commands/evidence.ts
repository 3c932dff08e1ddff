import type { EvidenceFilter, Reading } from "@behest/core";
import { type EvidenceReport, renderReport, verifyEvidence } from "@behest/evidence";
import {
  type EvidenceBundle,
  type Head,
  headOf as headText,
  parseCheckpoint,
  readBundle,
} from "@behest/provenance";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { printEvidence } from "../evidence/print.ts";
import { readText, writeNew } from "../file.ts";
import { bad, print, printJson } from "../output.ts";
import { headOf, ownerOf, pinned } from "../pinned.ts";
import { withReading, withStore } from "../store.ts";
import { moment } from "../time.ts";
import { readEntry } from "../verify/evidence.ts";
import { type OutsideOptions, outside, outsideOptions } from "../verify/outside.ts";

export function evidence(program: Command): void {
  const group = program
    .command("evidence")
    .description("one file that proves what agents did, to a stranger");
  define(group, {
    name: "export",
    description: "write the evidence of these records, or of all, to a new file",
    example:
      "behest evidence export --out all.json\nbehest evidence export --principal alice --since 7d --out alice-evidence.json",
  })
    .requiredOption("--out <file>", "the file to write")
    .option("--action <id>", "of one action, as records --json and spans name it")
    .option("--session <id>", "of a session and those spawned below it")
    .option("--principal <subject>", "of what was done on whose behalf")
    .option("--agent <name>", "of one agent")
    .option("--tool <name>", "of one tool")
    .option("--since <time>", "1h (ago), 2026-11-20, 2026-11-20T08:00Z", (text) => moment("--since", text))
    .option("--until <time>", "the same", (text) => moment("--until", text))
    .option("--head <size:root...>", "heads that others hold: the evidence can be compared with them", heads)
    .option("--store <file>", "the store (default: this folder's)")
    .option("--as <person>", "who exports it: the log says so before anything is written")
    .action(write);
  const verifying = define(group, {
    name: "verify",
    description: "verify evidence, offline, from the owner's thumbprint alone",
    example: "behest evidence verify alice-evidence.json --owner <thumbprint>",
  })
    .argument("<file>", "what evidence export wrote, or - for standard input")
    .option("--owner <thumbprint>", "the owner to pin (default: this folder's)", ownerOf);
  outsideOptions(verifying).action(verify);
  const reporting = define(group, {
    name: "report",
    description: "write what evidence says, verified, as one page for people to read",
    example: "behest evidence report alice-evidence.json --owner <thumbprint> --out report.html",
  })
    .argument("<file>", "what evidence export wrote, or - for standard input")
    .requiredOption("--out <file>", "the file to write: HTML, without scripts and without anything to load")
    .option("--owner <thumbprint>", "the owner to pin (default: this folder's)", ownerOf);
  outsideOptions(reporting).action(report);
}

interface Exporting extends EvidenceFilter {
  readonly out: string;
  readonly head?: readonly Head[];
  readonly store?: string;
  readonly as?: string;
  readonly json?: true;
}

async function write({ out, head = [], store, as, json, ...filter }: Exporting): Promise<void> {
  if (as !== undefined && store !== undefined) throw usage("--as: only this folder's store is written to.");
  const look = (reader: Pick<Reading, "evidence">): Promise<EvidenceBundle> =>
    reader.evidence({ ...filter, ...(head.length > 0 && { heads: head.map(({ size }) => size) }) });
  const bundle = await (as === undefined ? withStore(store, look) : withReading(as, look));
  writeNew(out, `${JSON.stringify(bundle)}\n`);
  const entries = bundle.log.filter((shown) => typeof shown === "string");
  const records = entries.filter((jws) => readEntry(jws)?.payload.type === "action").length;
  const at = headText(parseCheckpoint(bundle.checkpoint));
  if (json) return printJson({ out, records, entries: entries.length, head: at });
  print(`Wrote ${out}: ${records} records, in ${entries.length} entries of the log whose head is ${at}.`);
  if (records === 0) print(bad("No record is what was asked for: is it written as behest records shows it?"));
  print("Whoever gets it verifies it with: behest evidence verify <file> --owner <thumbprint>");
}

interface Verifying extends OutsideOptions {
  readonly owner?: string;
  readonly json?: true;
}

async function verify(file: string, options: Verifying): Promise<void> {
  const { owner, report } = await verified(file, options);
  if (options.json) printJson({ owner, ...report });
  else printEvidence(report, { owner, pinnedHere: options.owner === undefined });
  if (!report.ok) throw refused(report);
}

/** The page is written also where something speaks against the evidence: it says so, first. */
async function report(
  file: string,
  { out, ...options }: Verifying & { readonly out: string },
): Promise<void> {
  const { bundle, owner, report: found } = await verified(file, options);
  writeNew(out, renderReport(bundle, found, { owner }));
  const { ok, records } = found;
  if (options.json) printJson({ out, owner, ok, records: records.length });
  else print(`Wrote ${out}: ${records.length} records. Whoever needs proof verifies the evidence itself.`);
  if (!ok) throw refused(found);
}

async function verified(
  file: string,
  { owner, json: _json, ...options }: Verifying,
): Promise<{
  readonly bundle: EvidenceBundle;
  readonly owner: string;
  readonly report: EvidenceReport;
}> {
  const pin = pinned(owner);
  const bundle = readBundle(await readText(file));
  return {
    bundle,
    owner: pin,
    report: await verifyEvidence(bundle, { owner: pin, ...(await outside(options)) }),
  };
}

function refused({ findings }: EvidenceReport): CliError {
  const wrong = findings.filter(({ state }) => state === "failed" || state === "missing");
  return new CliError("verification_failed", `${wrong.length} of the findings speak against this evidence.`);
}

function heads(text: string, before: readonly Head[] = []): readonly Head[] {
  if (before.length >= 1000) throw usage("--head: name at most 1000.");
  return [...before, headOf(text)];
}
