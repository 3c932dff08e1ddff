import { type EntryPayload, type Hidden, parseCheckpoint, verifyLog } from "@behest/provenance";
import type { Reader } from "@behest/core";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { NewFile, readText } from "../file.ts";

import { printJson } from "../output.ts";
import { requireLocal } from "../local.ts";
import { ownerOf, pinned } from "../pinned.ts";
import { sharesStore } from "../postgres.ts";
import { headBeside, withStore } from "../store.ts";
import { Chains } from "../verify/chains.ts";
import { Listing } from "../verify/listing.ts";
import { type OutsideOptions, outside, outsideOptions } from "../verify/outside.ts";
import { type Shown, entriesIn, lineOf, readEntry, snapshot } from "../verify/evidence.ts";
import { type Verdicts, type Verification, asJson, printVerification } from "../verify/report.ts";

interface Options extends OutsideOptions {
  readonly store?: string;
  readonly entries?: string;
  readonly checkpoint?: string;
  readonly owner?: string;
  readonly export?: string;
  readonly json?: true;
}

/** What a log is judged by. */
interface By {
  readonly owner: string;
  readonly held: Awaited<ReturnType<typeof outside>>;
  /** Where it is exported to. */
  readonly export: string | undefined;
}

export function verify(program: Command): void {
  const command = define(program, {
    name: "verify",
    description: "verify a whole log, offline, from the owner's thumbprint alone",
    example:
      "behest verify --export log.jsonl\nbehest verify --entries log.jsonl --checkpoint log.jsonl.checkpoint --owner <thumbprint>",
  })
    .option("--store <file>", "the store (default: this folder's)")
    .option("--entries <file>", "exported entries, instead of a store")
    .option("--checkpoint <file>", "the checkpoint over them")
    .option("--owner <thumbprint>", "the owner to pin (default: this folder's)", ownerOf)
    .option(
      "--export <file>",
      "write the entries to a new file, and beside it the checkpoint, and what witnesses cosigned",
    );
  outsideOptions(command).action(run);
}

async function run(options: Options): Promise<void> {
  const { entries, checkpoint, store } = options;
  if (
    (entries === undefined) !== (checkpoint === undefined) ||
    (entries !== undefined && store !== undefined)
  )
    throw usage("name either --store, or both --entries and --checkpoint.");
  if (entries === undefined && store === undefined && !sharesStore()) requireLocal();
  const owner = pinned(options.owner);
  const held = await outside(options);
  const by: By = { owner, held, export: options.export };
  const judged =
    entries !== undefined && checkpoint !== undefined
      ? await judge({ entries: entriesIn(entries), checkpoint: await readText(checkpoint) }, by)
      : await withStore(store, async (reader, path) => {
          const seen = path === undefined ? undefined : headBeside(path);
          const found = await judgeStore(reader, by);
          return seen && seen.size > found.log.size ? rolledBack(found, seen.size) : found;
        });
  if (options.json) printJson(asJson(judged));
  else printVerification(judged, options.owner === undefined);
  if (judged.ok) return;
  const wrong = judged.findings.filter(({ state }) => state === "failed" || state === "missing");
  throw new CliError("verification_failed", `${wrong.length} of the findings speak against this log.`);
}

/** Once more where somebody has pruned meanwhile: the entry that says so stands beyond the checkpoint that was read. */
async function judgeStore(reader: Reader, by: By): Promise<Verification> {
  for (let tries = 1; ; tries++) {
    const chains = new Chains(reader, by.owner);
    // Read before the checkpoint: what is appended meanwhile cannot make it the longer one.
    const kept = await reader.cosigned();
    const log = await snapshot(reader, sizesOf(by.held, kept));
    const shown = { ...log, ...(kept !== undefined && { cosigned: kept }) };
    const found = await judge(shown, by, chains, new Listing(reader));
    const unsaid = found.findings.some(({ code, state }) => code === "entries_hidden" && state === "missing");
    const isLast = tries === 3 || by.export !== undefined || !unsaid;
    if (isLast || (await reader.checkpoint()) === log.checkpoint) return found;
  }
}

/** Of all heads that the log is compared with. */
function sizesOf({ head, heads = [], cosigned }: By["held"], kept: string | undefined): readonly number[] {
  const notes = kept === undefined ? cosigned : [...cosigned, kept];
  return [...(head ? [head] : []), ...heads, ...notes.flatMap(sizeIn)].map((one) =>
    typeof one === "number" ? one : one.size,
  );
}

function sizeIn(note: string): readonly number[] {
  try {
    return [parseCheckpoint(note).size];
  } catch {
    // For `verifyLog` to refuse.
    return [];
  }
}

/** The store keeps the highest head it has committed in a file beside it: a database that was put back lies behind. */
function rolledBack(found: Verification, seen: number): Verification {
  const { size } = found.log;
  const message = `${seen} entries were seen before; the database was cut off or an older one put back`;
  const finding = { index: size, check: "log", state: "missing", code: "entries_missing", message } as const;
  return { ...found, ok: false, findings: [...found.findings, finding] };
}

/** Reads the log once: verified, compared with its chains, counted and exported at the same time. */
async function judge(
  shown: Shown,
  { owner, held, export: path }: By,
  chains?: Chains,
  listing?: Listing,
): Promise<Verification> {
  using entriesFile = path === undefined ? undefined : new NewFile(path);
  using checkpointFile = path === undefined ? undefined : new NewFile(`${path}.checkpoint`);
  using cosignedFile =
    path === undefined || shown.cosigned === undefined ? undefined : new NewFile(`${path}.cosigned`);
  const verdicts = new Map<number, keyof Verdicts>();
  let shadow = 0;
  let overridden = 0;
  const passing = async function* (): AsyncGenerator<string | Hidden> {
    let index = 0;
    for await (const jws of shown.entries) {
      entriesFile?.write(lineOf(jws));
      if (typeof jws !== "string") {
        index += 2 ** jws.level;
        yield jws;
        continue;
      }
      const entry = readEntry(jws);
      if (entry) {
        await chains?.read(index, entry);
        await listing?.read(index, entry);
      }
      const verdict = verdictOf(entry?.payload);
      if (verdict) verdicts.set(index, verdict);
      if (entry?.payload.type === "action" && entry.payload.enforce === "shadow") shadow++;
      if (entry?.payload.type === "action" && entry.payload.links.override !== undefined) overridden++;
      index++;
      yield jws;
    }
  };
  const { checkpoint } = shown;
  const cosigned = [...held.cosigned, ...(shown.cosigned === undefined ? [] : [shown.cosigned])];
  const log = await verifyLog({ entries: passing(), whole: true, checkpoint, owner, ...held, cosigned });
  await chains?.finish(log.erased);
  await listing?.finish(log.size, (await shown.moved?.()) ?? false);
  entriesFile?.finish();
  checkpointFile?.write(checkpoint);
  checkpointFile?.finish();
  cosignedFile?.write(shown.cosigned ?? "");
  cosignedFile?.finish();

  const own = [...(chains?.findings ?? []), ...(listing?.findings ?? [])];
  // Of a chain that was judged here, or is missing, it cannot be said that it is not shown.
  const missing = new Set(own.flatMap(({ code, index }) => (code === "content_missing" ? [index] : [])));
  const others = log.findings.filter(
    ({ code, index }) => code !== "token_not_shown" || !(chains?.judged.has(index) || missing.has(index)),
  );
  const findings = [...others, ...own].toSorted((a, b) => a.index - b.index);
  const failed = new Set(
    findings.flatMap(({ index, state }) => (state === "failed" && index < log.size ? [index] : [])),
  );
  const actions = { permit: 0, deny: 0, ask: 0 };
  for (const [index, verdict] of verdicts) if (!failed.has(index)) actions[verdict]++;
  return {
    ok: log.ok && own.every(({ state }) => state !== "failed" && state !== "missing"),
    owner,
    log,
    findings,
    proven: log.size - failed.size,
    actions,
    shadow,
    overridden,
    ...(chains && { chains: chains.judged.size }),
  };
}

function verdictOf(payload: EntryPayload | undefined): keyof Verdicts | undefined {
  return payload?.type === "action" ? payload.verdict : undefined;
}
