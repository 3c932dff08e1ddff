import { existsSync, readFileSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import { BehestError, type Local, type Reader, readKeyFile } from "@behest/core";
import { type PublicJwk, generatePrivateJwk, parseJson, signerOf, thumbprint } from "@behest/jws";
import {
  type IndexRange,
  type Manifest,
  parseCheckpoint,
  checkChange,
  countersignTrust,
  parseEntry,
  parsePayload,
  readTrust,
  signTrust,
  trustHash,
} from "@behest/provenance";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { readText, writeNew } from "../file.ts";
import { readManifest, requireLocal } from "../local.ts";
import { bold, print, printJson } from "../output.ts";
import { sharesStore } from "../postgres.ts";
import { withStore } from "../store.ts";

const DRAFT = "write it unsigned to a new file, for its keepers to countersign; then sign that";

interface Options {
  readonly keys?: string;
  readonly draft?: string;
  readonly json?: true;
}

/** The owner's side: new versions of the trust manifest. Processes take one up by `behest.trust`, or when they are started again. */
export function changes(group: Command): void {
  define(group, {
    name: "revoke-key",
    description: "a key was lost: nothing that it signed after a log entry counts any more",
    example: "behest trust revoke-key GqEsL… --after-index 1204",
  })
    .argument("<thumbprint>", "of the key, or its beginning")
    .requiredOption("--after-index <n>", "the last log entry up to which it is trusted", index)
    .option("--keys <folder>", "the owner's key, where it is not where init put it")
    .option("--draft <file>", DRAFT)
    .action(revokeKey);
  define(group, {
    name: "sign",
    description: "sign a changed manifest as its next version",
    example: "behest trust show --json > trust.json   # change it\nbehest trust sign trust.json",
  })
    .argument("<file>", "JSON, as show prints it; version and date are set anew")
    .option("--keys <folder>", "the owner's key, where it is not where init put it")
    .option("--draft <file>", DRAFT)
    .action(sign);
  define(group, {
    name: "countersign",
    description: "a keeper's side: sign a draft of the next version",
    example:
      "behest trust sign trust.json --draft next.json\nbehest trust countersign next.json --key keeper.jwk",
  })
    .argument("<file>", "the draft, which gets the signature")
    .requiredOption("--key <file>", "the keeper's key")
    .action(countersign);
}

async function revokeKey(key: string, options: Options & { readonly afterIndex: number }): Promise<void> {
  const local = requireLocal();
  const manifest = await readManifest(local);
  const changed = withdrawn(manifest, key, options.afterIndex + 1);
  await refuseAhead(local, options.afterIndex);
  await next(local, changed, options);
}

/** A slip of the pen must not leave a lost key trusted until the log has grown as far. */
async function refuseAhead(local: Local, index: number): Promise<void> {
  const size = await inLog(local, async (reader) => parseCheckpoint(await reader.checkpoint()).size);
  if (size !== undefined && index >= size)
    throw new CliError(
      "entry_missing",
      `the log ends with entry ${size - 1}: the key would be trusted for what comes until entry ${index}.`,
    );
}

async function sign(file: string, options: Options): Promise<void> {
  const local = requireLocal();
  const before = await readManifest(local);
  const manifest = await manifestIn(file);
  if (manifest.origin !== before.origin) throw usage("trust sign: it is the manifest of another log.");
  await next(local, manifest, options);
}

/** As `show --json` prints it, or the manifest itself. */
async function manifestIn(file: string): Promise<Manifest> {
  try {
    const given = parseJson(await readText(file)) as unknown as Manifest & { readonly manifest?: Manifest };
    return given.manifest ?? given;
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("malformed_input", `${file} is no JSON.`, { cause });
  }
}

/** Signs and puts in place the version after the one that is there. Throws `owner_mismatch`, `malformed_trust`, `roles_not_apart`, `changes_unsigned`. */
async function next(local: Local, changed: Manifest, { keys, draft, json }: Options): Promise<void> {
  const before = (await inForce(local)) ?? readFileSync(local.manifest, "utf8").trim();
  const current = await readTrust(before, local.owner);
  const manifest = following(changed, current, trustHash(before));
  if (draft !== undefined) return writeDraft(draft, manifest, json);
  const owner = readKeyFile(join(resolve(keys ?? local.keys), "owner.jwk"));
  if (owner.thumbprint !== local.owner)
    throw new CliError("owner_mismatch", "this is not the key of the owner who is pinned here.");
  await checkChange(current, manifest);
  const signed = await signTrust(manifest, owner);
  // Appears whole or not at all, in the place of the version before.
  const name = `${local.manifest}.${manifest.seq}`;
  writeNew(name, `${signed}\n`);
  renameSync(name, local.manifest);
  if (json) return printJson({ manifest });
  print(
    "version ",
    bold(String(manifest.seq)),
    " is in place. Hand it to every process that runs agents (behest.trust), or start them again: none goes on under the version before.",
  );
}

/** A draft of the next version stays as it was countersigned; anything else gets its number, `prev` and date. */
function following(changed: Manifest, current: Manifest, hash: string): Manifest {
  const isDraft = changed.countersigned && changed.seq === current.seq + 1 && changed.prev === hash;
  if (isDraft) return changed;
  const { prev: _, countersigned: __, ...rest } = changed;
  return { ...rest, seq: current.seq + 1, prev: hash, at: new Date().toISOString() };
}

function writeDraft(file: string, manifest: Manifest, json: true | undefined): void {
  writeNew(file, `${JSON.stringify({ ...manifest, countersigned: [] }, null, 2)}\n`);
  if (json) return printJson({ draft: file, manifest });
  print(
    `Wrote ${file}. Its keepers sign it: behest trust countersign ${file} --key <file>. Then: behest trust sign ${file}`,
  );
}

/** Runs where the keeper is, who has read the draft: no deployment is needed. */
async function countersign(
  file: string,
  { key, json }: { readonly key: string; readonly json?: true },
): Promise<void> {
  // What else is signed here would look like a change that somebody wants.
  const manifest = await draftIn(file);
  const keeper = readKeyFile(key);
  const signed = await countersignTrust(manifest, keeper);
  const name = `${file}.countersigned`;
  writeNew(name, `${JSON.stringify(signed, null, 2)}\n`);
  renameSync(name, file);
  if (json) return printJson({ draft: file, keeper: keeper.thumbprint });
  print(`${file} is countersigned by ${keeper.thumbprint}.`);
}

/** Throws `malformed_input`, `file_…`, and what whoever takes it up would refuse: `malformed_trust`, `roles_not_apart`. */
export async function draftIn(file: string): Promise<Manifest> {
  const manifest = await manifestIn(file);
  if (!isDraft(manifest)) throw notDraft(file);
  // By a key that is thrown away: only for what is refused.
  await signTrust(manifest, signerOf(await generatePrivateJwk()));
  return manifest;
}

/** As `--draft` writes it: its number, what it follows, and who has signed so far. */
function isDraft({ origin, seq, prev, countersigned }: Partial<Manifest>): boolean {
  return (
    typeof origin === "string" &&
    Number.isSafeInteger(seq) &&
    typeof prev === "string" &&
    Array.isArray(countersigned)
  );
}

function notDraft(file: string): CliError {
  return new CliError(
    "malformed_input",
    `${file} is no draft of a trust manifest: behest trust sign … --draft writes one.`,
  );
}

/** The version that the log has taken up last: one that it has not is replaced, since the log takes each in turn. */
function inForce(local: Local): Promise<string | undefined> {
  return inLog(local, async (reader) => {
    let manifest: string | undefined;
    for await (const jws of reader.entries()) {
      const entry = parsePayload(parseEntry(jws).payload);
      if (entry.type === "trust") manifest = entry.manifest ?? manifest;
    }
    return manifest;
  });
}

/** Of the log that this folder's processes write: the one that machines share, where they do. Undefined where there is none yet. */
async function inLog<T>({ store }: Local, use: (reader: Reader) => Promise<T>): Promise<T | undefined> {
  if (!sharesStore() && !existsSync(store)) return undefined;
  try {
    return await withStore(undefined, use);
  } catch (error) {
    if (BehestError.isInstance(error) && error.code === "store_missing") return undefined;
    throw error;
  }
}

/** The same, in which the roles of this key end before entry `until`. */
function withdrawn(manifest: Manifest, key: string, until: number): Manifest {
  if (key.length < 6) throw usage("trust revoke-key: write at least 6 characters of the thumbprint.");
  const { issuers, enforcers, approvers, revokers, deployers, witnesses } = manifest;
  const found = new Set<string>();
  const ended = <R extends IndexRange & { readonly jwk?: PublicJwk }>(roles: readonly R[]): R[] =>
    roles.flatMap((role) => {
      const print = role.jwk && thumbprint(role.jwk);
      if (!print?.startsWith(key)) return [role];
      found.add(print);
      const end = Math.min(role.until ?? until, until);
      // A role that would end where it begins has never held.
      return end > (role.from ?? 0) ? [{ ...role, until: end }] : [];
    });
  const changed: Manifest = {
    ...manifest,
    issuers: ended(issuers),
    enforcers: ended(enforcers),
    approvers: ended(approvers),
    revokers: ended(revokers),
    witnesses: ended(witnesses),
    ...(deployers && { deployers: ended(deployers) }),
  };
  if (found.size === 0)
    throw new CliError(
      "key_unknown",
      "the trust manifest names no such key. That of an agent has no role: behest revoke --holder.",
    );
  if (found.size > 1) throw usage("trust revoke-key: more than one key begins so.");
  return changed;
}

function index(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw usage("--after-index: the number of a log entry.");
  return Number(text);
}
