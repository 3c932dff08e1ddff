import { existsSync } from "node:fs";
import { type Profiles, type Reader, findLocal, readProfiles } from "@behest/core";
import { parseEntry, parsePayload } from "@behest/provenance";
import type { Command } from "commander";
import { define } from "../command.ts";
import { readHops } from "../hop.ts";
import { type Cell, bad, good, print, printJson, printTable } from "../output.ts";
import { withStore } from "../store.ts";
import { relative } from "../time.ts";

export function coverage(program: Command): void {
  define(program, {
    name: "coverage",
    description: "tools that the middleware met, and how; and those that were delegated but never met",
    example: "behest coverage",
  })
    .option("--store <file>", "the store (default: this folder's)")
    .action(run);
}

type Seen = Awaited<ReturnType<Reader["coverage"]>>[number];

async function run({ store, json }: { readonly store?: string; readonly json?: true }): Promise<void> {
  const { seen, granted, unread } = await withStore(store, async (reader) => ({
    seen: await reader.coverage(),
    ...(await grantedTools(reader)),
  }));
  const met = new Set(seen.map(({ tool }) => tool));
  const neverSeen = [...granted].filter((tool) => !met.has(tool)).toSorted();
  const undeclared = skeleton(seen);
  if (json) return printJson({ seen, neverSeen, unreadDelegations: unread, undeclared });
  const rows = [...seen.map(row), ...neverSeen.map((tool) => [tool, bad("never seen"), "-", "-"])];
  if (rows.length === 0) print("No tools.");
  else printTable(["tool", "met as", "profile", "last"], rows);
  if (unread > 0) print(`The tools of ${unread} delegations are not known here: their content is gone.`);
  if (Object.keys(undeclared).length === 0) return;
  print();
  print(
    "What no profile declares counts as the worst and waits for a person, by the policies that are shipped.",
  );
  print("Say what it can do with withProfile(tool, { … }), or in .behest/profiles.json (docs/policy.md):");
  for (const line of JSON.stringify(undeclared, null, 2).split("\n")) print(line);
}

/** What to begin a file of profiles with, or to add to it: tools as they count now. */
function skeleton(seen: readonly Seen[]): Profiles {
  const file = findLocal()?.profiles;
  const known = file !== undefined && existsSync(file) ? readProfiles(file) : {};
  const missing = seen.filter(
    ({ tool, kind, declared }) => kind !== "provider" && !declared && !Object.hasOwn(known, tool),
  );
  return Object.fromEntries(
    missing.map(({ tool }) => [tool, { effect: "irreversible", boundary: "outside" }]),
  );
}

const MET: { readonly [kind in Seen["kind"]]: Cell } = {
  wrapped: good("wrapped"),
  unwrapped: bad("not wrapped"),
  provider: bad("run by the provider"),
};

function row({ tool, kind, declared, at }: Seen): Cell[] {
  return [tool, MET[kind], declared ? "declared" : bad("undeclared"), relative(at / 1000)];
}

/** The tools that any delegation of the log names, and of how many delegations nobody can say. */
async function grantedTools(reader: Reader): Promise<{ granted: Set<string>; unread: number }> {
  const granted = new Set<string>();
  let unread = 0;
  for await (const jws of reader.entries()) {
    const payload = parsePayload(parseEntry(jws).payload);
    if (payload.type !== "delegation") continue;
    const stored = await reader.chain(payload.leaf);
    if (!stored) unread++;
    else for (const tool of Object.keys(readHops(stored.chain).at(-1)!.tools)) granted.add(tool);
  }
  return { granted, unread };
}
