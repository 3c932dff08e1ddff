import { type SpanReport, type SpanState, verifySpans } from "@behest/evidence";
import { type EvidenceBundle, type Shown, readBundle } from "@behest/provenance";
import type { Reader } from "@behest/core";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { readText } from "../file.ts";
import { type Cell, bad, dim, good, print, printFacts, printJson, printTable } from "../output.ts";
import { ownerOf, pinned } from "../pinned.ts";
import { withStore } from "../store.ts";
import { snapshot } from "../verify/evidence.ts";

interface Options {
  readonly evidence?: string;
  readonly store?: string;
  readonly owner?: string;
  readonly json?: true;
}

export function spans(program: Command): void {
  define(program, {
    name: "verify-spans",
    description: "compare the spans that a trace back end kept with the records, in both directions",
    example:
      "behest verify-spans traces.json\nbehest verify-spans traces.json --evidence all.json --owner <thumbprint>",
  })
    .argument("<otlp>", "OTLP as JSON, or one export a line; - for standard input")
    .option("--evidence <file>", "what evidence export wrote, instead of a store")
    .option("--store <file>", "the store (default: this folder's)")
    .option("--owner <thumbprint>", "the owner to pin (default: this folder's)", ownerOf)
    .action(run);
}

async function run(path: string, { evidence, store, owner, json }: Options): Promise<void> {
  if (evidence !== undefined && store !== undefined) throw usage("name either --store or --evidence.");
  const pin = pinned(owner);
  const otlp = await readText(path);
  const bundle: EvidenceBundle =
    evidence === undefined ? await withStore(store, logOf) : readBundle(await readText(evidence));
  const report = await verifySpans(otlp, bundle, { owner: pin });
  if (!report) throw new CliError("malformed_input", "these are no spans: write OTLP as JSON.");
  if (json) printJson({ ok: report.ok, findings: report.findings, heads: report.heads });
  else printSpans(report);
  if (!report.ok)
    throw new CliError(
      "verification_failed",
      "a span was altered or has no record, or the log does not hold.",
    );
}

/** The log alone, however long it is: spans are compared with what its entries say. */
async function logOf(reader: Reader): Promise<EvidenceBundle> {
  const cosigned = await reader.cosigned();
  const { checkpoint, entries } = await snapshot(reader);
  const log: Shown[] = [];
  for await (const shown of entries) log.push(shown);
  const beside = { tokens: {}, content: {}, documents: {}, cuts: {}, principals: {} };
  const notes = { checkpoint, ...(cosigned !== undefined && { cosigned }) };
  return { type: "behest-evidence", v: 1, ...notes, log, ...beside };
}

function printSpans({ ok, log, findings }: SpanReport): void {
  const counts = Object.keys(STATES).map((state) => {
    const count = findings.filter((finding) => finding.state === state).length;
    return [state, String(count)] as const;
  });
  printFacts([
    [
      "log",
      log.ok
        ? "holds"
        : bad("does not hold, or not with the heads of these spans: see behest verify --heads"),
    ],
    ...counts,
  ]);
  const told = findings.filter(({ state }) => state === "altered" || state === "span without record");
  if (told.length > 0)
    printTable(
      ["span", "state", "record", "what"],
      told.map(({ trace, span, state, index, message }) => [
        `${trace}/${span}`,
        STATES[state],
        index === undefined ? "-" : `#${index}`,
        message ?? "",
      ]),
    );
  print(ok ? good("No span contradicts a record.") : bad("Spans and records contradict each other."));
}

const STATES: { readonly [state in SpanState]: Cell } = {
  verified: good("verified"),
  altered: bad("altered"),
  "span without record": bad("span without record"),
  "record without span": dim("record without span"),
  "record not shown": dim("record not shown"),
};
