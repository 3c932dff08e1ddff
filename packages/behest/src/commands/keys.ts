import { join, resolve } from "node:path";
import { type Local, BehestError, readKeyFile } from "@behest/core";
import { generatePrivateJwk, publicJwk, thumbprint } from "@behest/jws";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError } from "../error.ts";
import { isThere, writeNew } from "../file.ts";
import { readManifest, requireLocal } from "../local.ts";
import { type Cell, bad, bold, good, printFacts, printJson, printTable } from "../output.ts";

export function keys(program: Command): void {
  const group = program.command("keys").description("keys and their roles");
  define(group, {
    name: "list",
    description: "keys of this deployment and whether their files are safe (default)",
    example: "behest keys",
    isDefault: true,
  }).action(list);
  define(group, {
    name: "new",
    description: "make a key: for a role in the trust manifest, or one that delegations are bound to",
    example:
      "behest keys new --out reader.jwk\nbehest derive me.json --tool 'read_file(path=/docs/**)' --holder reader.jwk",
  })
    .option("--out <file>", "key file to make", "holder.jwk")
    .action(make);
}

interface Row {
  readonly role: string;
  readonly thumbprint: string | undefined;
  readonly file: string;
  /** `ok`, `not here`, or the code of what is wrong. */
  readonly state: string;
}

async function list({ json }: { readonly json?: true }): Promise<void> {
  const local = requireLocal();
  const { issuers, approvers, revokers } = await readManifest(local);
  const known = issuers.flatMap(({ jwk }) => (jwk ? [thumbprint(jwk)] : []));
  const rows = [
    row("owner", keyFile(local, "owner.jwk"), [local.owner]),
    row("issuer", keyFile(local, "issuer.jwk"), known),
    row("approver", keyFile(local, "approver.jwk"), [
      ...new Set(approvers.map(({ jwk }) => thumbprint(jwk))),
    ]),
    row("revoker", keyFile(local, "revoker.jwk"), [...new Set(revokers.map(({ jwk }) => thumbprint(jwk)))]),
    row("enforcer", local.signer),
    row("agent", local.holder),
  ];
  if (json) printJson(rows);
  else printTable(["role", "state", "thumbprint", "file"], rows.map(cells));
  const unsafe = rows.filter(({ state }) => state === "key_unsafe");
  if (unsafe.length > 0)
    throw new CliError(
      "key_unsafe",
      `others can read ${unsafe.map(({ file }) => file).join(", ")}. Run: chmod 600`,
    );
}

function keyFile({ keys: folder }: Local, name: string): string {
  return join(folder, name);
}

/** `known`: thumbprints that the role has, shown where the file is not to be read. */
function row(role: string, file: string, known: readonly string[] = []): Row {
  const expected = known.length === 1 ? known[0] : undefined;
  if (!isThere(file)) return { role, thumbprint: expected, file, state: "not here" };
  try {
    return { role, thumbprint: readKeyFile(file).thumbprint, file, state: "ok" };
  } catch (error) {
    if (!(error instanceof BehestError)) throw error;
    return { role, thumbprint: expected, file, state: error.code };
  }
}

function cells({ role, thumbprint: print = "-", file, state }: Row): Cell[] {
  return [role, state === "ok" ? good(state) : state === "not here" ? state : bad(state), print, file];
}

async function make({ out, json }: { readonly out: string; readonly json?: true }): Promise<void> {
  const jwk = await generatePrivateJwk();
  const { kty, crv, x } = jwk;
  const shown = publicJwk({ kty, crv, x });
  writeNew(out, `${JSON.stringify(jwk)}\n`);
  if (json) return printJson({ file: resolve(out), thumbprint: thumbprint(shown), jwk: shown });
  printFacts([
    ["made", `${out}, for your eyes alone`],
    ["thumbprint", bold(thumbprint(shown))],
    ["public", JSON.stringify(shown)],
  ]);
}
