import { LOCAL_FOLDER } from "@behest/core";
import { rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, relative, resolve } from "node:path";
import { type PrivateJwk, type Signer, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { BREAK_GLASS, type Manifest, signTrust } from "@behest/provenance";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { newFolder, refuseExisting } from "../folder.ts";

import { bold, print, printFacts, printJson } from "../output.ts";

interface Options {
  readonly dir: string;
  readonly keys?: string;
  readonly json?: true;
}

export function init(program: Command): void {
  define(program, {
    name: "init",
    description: "make keys, trust manifest and configuration for one machine",
    example: "behest init\nbehest init --dir agents --keys /media/stick/behest",
  })
    .option("--dir <folder>", "folder that agents run in", ".")
    .option("--keys <folder>", "new folder for the owner's and issuer's keys (default: in ~/.config/behest)")
    .action(run);
}

/** A private key as it is written, and what signs with it. */
interface Made {
  readonly file: string;
  readonly signer: Signer;
}

async function run(options: Options): Promise<void> {
  const dir = resolve(options.dir);
  if (!isFolder(dir)) throw new CliError("file_missing", `there is no folder ${dir}.`);
  const [owner, issuer, approver, revoker, enforcer, agent] = await Promise.all([
    newKey(),
    newKey(),
    newKey(),
    newKey(),
    newKey(),
    newKey(),
  ]);
  const pin = thumbprint(owner.signer.jwk);
  const short = pin.slice(0, 12);
  const iss = `urn:behest:local:${short}`;
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date().toISOString(),
    origin: `behest.local/${short}`,
    rung: "local",
    issuers: [{ iss, jwk: issuer.signer.jwk, rung: "local" }],
    enforcers: [{ jwk: enforcer.signer.jwk }],
    approvers: ["approvers", BREAK_GLASS].map((group) => ({
      group,
      person: "owner",
      jwk: approver.signer.jwk,
    })),
    revokers: [{ scope: "*", jwk: revoker.signer.jwk }],
    witnesses: [],
  };
  const folder = join(dir, LOCAL_FOLDER);
  const keys =
    options.keys === undefined ? join(configHome(), "behest", short) : apart(dir, resolve(options.keys));
  const config = {
    owner: pin,
    manifest: "trust.jws",
    store: "log.db",
    signer: "enforcer.jwk",
    holder: "agent.jwk",
    keys,
  };
  const trust = `${await signTrust(manifest, owner.signer)}\n`;
  refuseExisting(folder);
  newFolder(keys, {
    "owner.jwk": owner.file,
    "issuer.jwk": issuer.file,
    "approver.jwk": approver.file,
    "revoker.jwk": revoker.file,
    "issuer.json": `${JSON.stringify({ iss })}\n`,
  });
  try {
    newFolder(folder, {
      ".gitignore": "*\n!profiles.json\n",
      "agent.jwk": agent.file,
      "config.json": `${JSON.stringify(config, null, 2)}\n`,
      "enforcer.jwk": enforcer.file,
      "trust.jws": trust,
    });
  } catch (error) {
    rmSync(keys, { recursive: true, force: true });
    throw error;
  }
  if (options.json) return printJson({ folder, keys, owner: pin, issuer: iss, origin: manifest.origin });
  printFacts([
    ["made", `${folder}: configuration, trust manifest, the enforcer's and the agent's key`],
    [
      "made",
      `${keys}: the owner's, the issuer's, an approver's and a revoker's key. Move it off this machine before anything real runs here`,
    ],
    ["owner", bold(pin)],
  ]);
  print("Whoever verifies pins the owner. Next, delegate something to the agent:");
  print(`  behest delegate --task "Answer my mail" --tool 'send_mail(to=@example.com, *)' --out me.json`);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

async function newKey(): Promise<Made> {
  const jwk: PrivateJwk = await generatePrivateJwk();
  return { file: `${JSON.stringify(jwk)}\n`, signer: signerOf(jwk) };
}

/** XDG base directories: a relative one is to be ignored. */
function configHome(): string {
  const named = process.env["XDG_CONFIG_HOME"];
  return named !== undefined && isAbsolute(named) ? named : join(homedir(), ".config");
}

/** Where agents can read them, or a repository takes them along, the keys are not kept apart. */
function apart(dir: string, keys: string): string {
  const way = relative(dir, keys);
  if (way.startsWith("..") || isAbsolute(way)) return keys;
  throw usage("--keys: choose a folder outside the one that agents run in.");
}
