import { type CutTarget, type Revocation, restoreCuts, sqliteStore } from "@behest/core";
import type { Command } from "commander";
import { define } from "../command.ts";
import { openLocal, sharedFeed } from "../deployment.ts";
import { usage } from "../error.ts";
import { readManifest, requireLocal } from "../local.ts";
import { print, printJson, printTable } from "../output.ts";
import { sharedStore } from "../postgres.ts";
import { clockTime } from "../time.ts";

export function revocations(program: Command): void {
  define(program, {
    name: "revocations",
    description: "what is revoked, and what that stops now",
    example: "behest revocations",
  })
    .option(
      "--restore",
      "first bring what this folder's store knows into the feed of BEHEST_FEED, which lacks it",
    )
    .action(run);
}

async function run({ restore, json }: { readonly restore?: true; readonly json?: true }): Promise<void> {
  if (restore) await bringBack();
  const { behest } = await openLocal();
  await using _ = behest;
  const found = await behest.revocations();
  if (json) return printJson(found);
  if (found.length === 0) return print("Nothing is revoked.");
  printTable(
    ["what", "for roots up to", "stops", "by", "reason"],
    found.map(({ target, before, stops, revoker, reason }: Revocation) => [
      named(target),
      before === undefined ? "any date" : clockTime(before * 1000),
      String(stops),
      revoker.slice(0, 10),
      reason,
    ]),
  );
}

async function bringBack(): Promise<void> {
  const local = requireLocal();
  const manifest = await readManifest(local);
  const { feed } = await sharedFeed();
  if (!feed) throw usage("--restore: set BEHEST_FEED to the feed that lacks them.");
  const store = (await sharedStore()) ?? sqliteStore(local.store);
  try {
    await restoreCuts(store, feed, manifest);
  } finally {
    await Promise.all([store.close(), feed.close()]);
  }
}

function named(target: CutTarget): string {
  const [[kind, name] = ["", ""]] = Object.entries(target);
  return `${kind} ${name}`;
}
