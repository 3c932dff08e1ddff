import { thumbprint } from "@behest/jws";
import { type IndexRange, type Manifest, printVkey, retentionOf, rolesAt } from "@behest/provenance";
import type { Command } from "commander";
import { define } from "../command.ts";
import { readManifest, requireLocal } from "../local.ts";
import { changes, draftIn } from "./trust-change.ts";
import { bold, print, printFacts, printJson, printTable } from "../output.ts";

export function trust(program: Command): void {
  const group = program.command("trust").description("who is trusted for what");
  define(group, {
    name: "show",
    description:
      "the trust manifest, verified under the pinned owner (default); or a draft of its next version",
    example: "behest trust show\nbehest trust show next.json   # what a keeper is asked to countersign",
    isDefault: true,
  })
    .argument("[draft]", "what --draft has written: it is shown as it is, and nothing of it is verified")
    .action(show);
  define(group, {
    name: "vkey",
    description: "what a witness of another party needs to watch this log: a line for each enforcer",
    example: "behest trust vkey\nbehest witness --state <folder> --log <one of these lines>",
  }).action(vkeys);
  changes(group);
}

/** An enforcer's key signs what is submitted to witnesses, under the log's name. */
async function vkeys({ json }: { readonly json?: true }): Promise<void> {
  const { origin, enforcers } = await readManifest(requireLocal());
  const lines = rolesAt(enforcers).map(({ jwk }) => printVkey({ name: origin, jwk, type: "log" }));
  if (json) return printJson({ origin, vkeys: lines });
  for (const line of lines) print(line);
}

async function show(draft: string | undefined, { json }: { readonly json?: true }): Promise<void> {
  const owner = draft === undefined ? requireLocal().owner : undefined;
  const manifest = draft === undefined ? await readManifest(requireLocal()) : await draftIn(draft);
  if (json) return printJson({ owner, manifest });
  const { origin, seq, at, rung, policies, countersigned = [] } = manifest;
  const kind = owner === undefined ? `a draft of ${at}, not verified` : `signed ${at}`;
  printFacts([
    ["log", origin],
    ...(owner === undefined ? [] : [["owner", bold(owner)] as const]),
    ["version", `${seq}, ${kind}${rung === "local" ? ", for one machine" : ""}`],
    ["keeps records", `${retentionOf(manifest) / 86_400_000} days at least`],
    ...(policies ? [["policies", policies.join(", ") || "none may decide"] as const] : []),
    ...(owner === undefined ? [["countersigned", `${countersigned.length} times`] as const] : []),
  ]);
  print();
  printTable(["role", "may", "log entries", "key"], rolesOf(manifest));
}

function rolesOf({
  issuers,
  enforcers,
  approvers,
  revokers,
  deployers = [],
  witnesses,
  changes,
}: Manifest): string[][] {
  const rows: string[][] = [];
  const add = (role: string, may: string, range: IndexRange, key: string): unknown =>
    rows.push([role, may, entries(range), key]);
  for (const issuer of issuers) {
    const { iss, subjects = "*", tenants = "*" } = issuer;
    const who = subjects === "*" ? "anybody" : subjects.join(", ");
    const where = tenants === "*" ? "" : ` in ${tenants.join(", ")}`;
    add(
      "issuer",
      `${iss} delegates for ${who}${where}`,
      issuer,
      issuer.jwk ? thumbprint(issuer.jwk) : issuer.jwks,
    );
  }
  for (const enforcer of enforcers)
    add("enforcer", "run agents and record", enforcer, thumbprint(enforcer.jwk));
  for (const approver of approvers)
    add("approver", `${approver.person} approves in ${approver.group}`, approver, thumbprint(approver.jwk));
  for (const revoker of revokers)
    add("revoker", `revoke in ${revoker.scope}`, revoker, thumbprint(revoker.jwk));
  for (const deployer of deployers)
    add("deployer", `attest agents of ${deployer.deployer}`, deployer, thumbprint(deployer.jwk));
  for (const { person, jwk } of changes?.keepers ?? [])
    add("keeper", `${person} countersigns changes (${changes!.need} needed)`, {}, thumbprint(jwk));
  for (const witness of witnesses)
    add("witness", `cosign as ${witness.name}`, witness, thumbprint(witness.jwk));
  return rows;
}

function entries({ from = 0, until }: IndexRange): string {
  if (until !== undefined) return `${from} to ${until - 1}`;
  return from === 0 ? "all" : `from ${from}`;
}
