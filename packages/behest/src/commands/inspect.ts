import { findLocal } from "@behest/core";
import { existsSync } from "node:fs";
import { type DelegationLike, parseDelegation } from "@behest/delegation";
import { CodedError, type Json, parseJson, splitCompact } from "@behest/jws";
import { parseEntry, parsePayload } from "@behest/provenance";
import { verifyUnder } from "@behest/evidence";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError } from "../error.ts";
import { readText } from "../file.ts";
import { printTool } from "../grant/print.ts";
import { type Hop, readHops } from "../hop.ts";
import { readManifest } from "../local.ts";
import { type Cell, bad, bold, good, print, printFacts, printJson } from "../output.ts";
import { withStore } from "../store.ts";
import { clockTime, relative } from "../time.ts";

interface Options {
  readonly json?: true;
}

export function inspect(program: Command): void {
  define(program, {
    name: "inspect",
    description: "show what a delegation or an entry of the log says",
    example: "behest inspect alice.json\nbehest inspect '#12'",
  })
    .argument(
      "<what>",
      "a file, - for standard input, the text itself, or an entry of this folder's log by its index: 12 or '#12'",
    )
    .action(run);
}

async function run(what: string, options: Options): Promise<void> {
  // A shell takes an unquoted #12 for a comment.
  const [, hash, index] = /^(#?)(0|[1-9][0-9]{0,14})$/.exec(what) ?? [];
  if (index !== undefined && (hash || !existsSync(what)))
    return showEntry(await entryAt(Number(index)), options, Number(index));
  const text = (isText(what) ? what : await readText(what)).trim();
  const jws = text.startsWith('"') ? quoted(text) : text;
  if (isEntry(jws)) return showEntry(jws, options);
  if (isEvidence(text))
    throw new CliError("malformed_input", "this is evidence: behest evidence verify, or report, shows it.");
  return showDelegation(jws, options);
}

/** A token or JSON, and no file of that name. */
function isText(what: string): boolean {
  return /^\s*(?:[{["]|eyJ)/.test(what) && !existsSync(what);
}

function quoted(text: string): string {
  const value = tried(() => parseJson(text));
  if (typeof value === "string") return value;
  throw new CliError("malformed_input", "neither a delegation nor an entry.");
}

function isEntry(text: string): boolean {
  return tried(() => splitCompact(text).header["typ"]) === "behest-entry+jwt";
}

function isEvidence(text: string): boolean {
  const value = tried(() => parseJson(text)) as { readonly type?: unknown } | null | undefined;
  return value?.type === "behest-evidence";
}

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (CodedError.isInstance(error)) return undefined;
    throw error;
  }
}

function entryAt(index: number): Promise<string> {
  return withStore(undefined, async (reader) => {
    let at = 0;
    for await (const shown of reader.log()) {
      if (typeof shown === "string" && at === index) return shown;
      at += typeof shown === "string" ? 1 : 2 ** shown.level;
      if (at > index) throw new CliError("entry_missing", `#${index} was pruned: only its hash is kept.`);
    }
    throw new CliError("entry_missing", `the log has ${at} entries; the first is #0.`);
  });
}

function showEntry(jws: string, { json }: Options, index?: number): void {
  const { kid, seq, hash, payload: text } = parseEntry(jws);
  const payload = parsePayload(text);
  const place = { ...(index !== undefined && { index }), hash, kid, seq };
  if (json) return printJson({ ...place, payload });
  print(
    bold(`${payload.type} entry`),
    `${index === undefined ? "" : ` #${index}`}: not verified here, see "behest verify"`,
  );
  printFacts([...Object.entries(place).map(fact), ...flatten("", parseJson(text)).map(fact)]);
}

function fact([name, value]: readonly [string, Json]): readonly [string, Cell] {
  return [name, typeof value === "string" ? value : JSON.stringify(value)];
}

/** Members in members as `a.b`; a JWS inside as its length alone. */
function flatten(path: string, value: Json): [string, Json][] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string"))
    return [[path, value.join(", ")]];
  if (typeof value === "object" && value !== null && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([name, member]) =>
      flatten(path === "" ? name : `${path}.${name}`, member as Json),
    );
  const isJws = typeof value === "string" && value.startsWith("eyJ");
  return [[path, isJws ? `(a signed JWS of ${value.length} characters)` : value]];
}

async function showDelegation(text: string, { json }: Options): Promise<void> {
  const chain = parseDelegation(text);
  const hops = readHops(chain);
  const judged = await judge(chain);
  const { refused } = judged;
  if (json) {
    const { verified, owner, issuerKey } = judged;
    printJson({ verified, owner, issuerKey, refused: refused?.code, hops: hops.map(asJson) });
  } else {
    print(
      bold(`delegation of ${hops.length} ${hops.length === 1 ? "token" : "tokens"}`),
      ": ",
      sentence(judged),
    );
    for (const [i, hop] of hops.entries()) {
      print();
      printFacts(facts(i, hop, judged.issuerKey));
    }
  }
  if (refused) throw refused;
}

interface Judged {
  readonly verified: boolean;
  /** Thumbprint of the key that asserts the principal, where that is verified. */
  readonly issuerKey?: string;
  /** The pinned owner, where there is a trust manifest to judge by. */
  readonly owner?: string;
  readonly refused?: CodedError;
}

async function judge(chain: DelegationLike): Promise<Judged> {
  const local = findLocal();
  if (!local) return { verified: false };
  const { owner } = local;
  const manifest = await readManifest(local);
  try {
    const { issuerKey } = await verifyUnder(manifest, chain);
    return { verified: true, owner, issuerKey };
  } catch (error) {
    if (!CodedError.isInstance(error)) throw error;
    return { verified: false, owner, refused: error };
  }
}

function sentence({ verified, owner, refused }: Judged): Cell {
  if (refused) return bad(`refused here (${refused.code}); what it claims:`);
  return verified
    ? good(`verified under the owner ${owner}`)
    : bad("not verified, there is no .behest/ here; what it claims:");
}

function facts(i: number, hop: Hop, issuerKey: string | undefined): (readonly [string, Cell])[] {
  const { iss, sub, tenant, task, agent, holder, exp, depth, maxDepth, jti, tools } = hop;
  const { consent, identity, restrictions } = hop;
  const each = (name: string, members: { readonly [name: string]: Json } = {}): (readonly [string, Cell])[] =>
    Object.entries(members)
      .flatMap(([member, value]) => flatten(member, value))
      .map((member) => [name, fact(member).join(": ")]);
  const how = issuerKey === undefined ? "as it claims" : `asserted by key ${issuerKey}`;
  const named = (name: string, value: string | undefined): (readonly [string, Cell])[] =>
    value === undefined ? [] : [[name, value]];
  return [
    ["token", bold(i === 0 ? "root" : `child ${i}`)],
    ["signed by", iss],
    ...named("principal", sub === undefined ? undefined : `${sub}, ${how}`),
    ...named("tenant", tenant),
    ...named("task", task),
    ...named("agent", agent),
    ...each("identity", identity),
    ...each("consent", consent),
    ["holder", holder],
    ["expires", `${relative(exp)} (${clockTime(exp * 1000)})`],
    ["depth", `${depth} of ${maxDepth}`],
    ["jti", jti],
    ...Object.entries(tools).map(([tool, map]) => ["tool", printTool(tool, map)] as const),
    ...each("restricted", restrictions),
  ];
}

function asJson(hop: Hop): object {
  const grants = Object.entries(hop.tools).map(([tool, map]) => printTool(tool, map));
  return { ...hop, grants };
}
