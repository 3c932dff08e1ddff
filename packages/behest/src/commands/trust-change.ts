import { existsSync, readFileSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Local, readKeyFile } from "@behest/core";
import { type PublicJwk, parseJson, thumbprint } from "@behest/jws";
import {
  type IndexRange,
  type Manifest,
  parseCheckpoint,
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
import { withStore } from "../store.ts";

interface Options {
  readonly keys?: string;
  readonly json?: true;
}

/** The owner's side: new versions of the trust manifest. Processes take one up when they are started again. */
export function changes(group: Command): void {
  define(group, {
    name: "revoke-key",
    description: "a key was lost: nothing that it signed after a log entry counts any more",
    example: "behest trust revoke-key GqEsL… --after-index 1204",
  })
    .argument("<thumbprint>", "of the key, or its beginning")
    .requiredOption("--after-index <n>", "the last log entry up to which it is trusted", index)
    .option("--keys <folder>", "the owner's key, where it is not where init put it")
    .action(revokeKey);
  define(group, {
    name: "sign",
    description: "sign a changed manifest as its next version",
    example: "behest trust show --json > trust.json   # change it\nbehest trust sign trust.json",
  })
    .argument("<file>", "JSON, as show prints it; version and date are set anew")
    .option("--keys <folder>", "the owner's key, where it is not where init put it")
    .action(sign);
}

async function revokeKey(key: string, options: Options & { readonly afterIndex: number }): Promise<void> {
  const local = requireLocal();
  const manifest = await readManifest(local);
  const changed = withdrawn(manifest, key, options.afterIndex + 1);
  await refuseAhead(local, options.afterIndex);
  await next(local, changed, options);
}

/** A slip of the pen must not leave a lost key trusted until the log has grown as far. */
async function refuseAhead({ store }: Local, index: number): Promise<void> {
  if (!existsSync(store)) return;
  const { size } = await withStore(store, async (reader) => parseCheckpoint(await reader.checkpoint()));
  if (index >= size)
    throw new CliError(
      "entry_missing",
      `the log ends with entry ${size - 1}: the key would be trusted for what comes until entry ${index}.`,
    );
}

async function sign(file: string, options: Options): Promise<void> {
  const local = requireLocal();
  const before = await readManifest(local);
  let manifest: Manifest;
  try {
    const given = parseJson(await readText(file)) as unknown as Manifest & { readonly manifest?: Manifest };
    manifest = given.manifest ?? given;
  } catch (cause) {
    throw new CliError("malformed_input", `${file} is no JSON.`, { cause });
  }
  if (manifest.origin !== before.origin) throw usage("trust sign: it is the manifest of another log.");
  await next(local, manifest, options);
}

/** Signs and puts in place the version after the one that is there. Throws `owner_mismatch`, `malformed_trust`, `roles_not_apart`. */
async function next(local: Local, changed: Manifest, { keys, json }: Options): Promise<void> {
  const owner = readKeyFile(join(resolve(keys ?? local.keys), "owner.jwk"));
  if (owner.thumbprint !== local.owner)
    throw new CliError("owner_mismatch", "this is not the key of the owner who is pinned here.");
  const before = (await inForce(local)) ?? readFileSync(local.manifest, "utf8").trim();
  const { seq } = await readTrust(before, local.owner);
  const { prev: _, ...rest } = changed;
  const manifest: Manifest = { ...rest, seq: seq + 1, prev: trustHash(before), at: new Date().toISOString() };
  const signed = await signTrust(manifest, owner);
  // Appears whole or not at all, in the place of the version before.
  const draft = `${local.manifest}.${seq + 1}`;
  writeNew(draft, `${signed}\n`);
  renameSync(draft, local.manifest);
  if (json) return printJson({ manifest });
  print(
    "version ",
    bold(String(manifest.seq)),
    " is in place. Start every process that runs agents again: none goes on under the version before.",
  );
}

/** The version that the log has taken up last: one that it has not is replaced, since the log takes each in turn. */
async function inForce({ store }: Local): Promise<string | undefined> {
  if (!existsSync(store)) return undefined;
  return withStore(store, async (reader) => {
    let manifest: string | undefined;
    for await (const jws of reader.entries()) {
      const entry = parsePayload(parseEntry(jws).payload);
      if (entry.type === "trust") manifest = entry.manifest ?? manifest;
    }
    return manifest;
  });
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
