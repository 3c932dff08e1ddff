import type { Hold } from "@behest/core";
import type { Command } from "commander";
import { define } from "../command.ts";
import { openLocal } from "../deployment.ts";
import { usage } from "../error.ts";
import { bold, print, printJson, printTable } from "../output.ts";
import { clockTime } from "../time.ts";

export function hold(program: Command): void {
  const group = program.command("hold").description("legal holds: what they are about is not erased");
  define(group, {
    name: "list",
    description: "the holds in force (default)",
    example: "behest hold list",
    isDefault: true,
  }).action(list);
  define(group, {
    name: "place",
    description: "nothing of a person, or of anybody, is erased until it is released",
    example:
      "behest hold place --principal alice --reason 'case 12/26'\nbehest hold place --all --reason 'audit'",
  })
    .option("--principal <subject>", "whom: the subject that delegations name")
    .option("--issuer <iss>", "only what this issuer asserts, where several name one so")
    .option("--all", "everybody, also who comes later")
    .requiredOption("--reason <text>", "why; only a commitment to it is recorded")
    .action(place);
  define(group, {
    name: "release",
    description: "end a hold, by the number of its entry",
    example: "behest hold release 17 --reason 'case 12/26 was closed'",
  })
    .argument("<entry>", "as hold list shows it", entry)
    .requiredOption("--reason <text>", "why; only a commitment to it is recorded")
    .action(release);
}

async function list({ json }: { readonly json?: true }): Promise<void> {
  const { behest } = await openLocal();
  await using _ = behest;
  const holds = await behest.holds.list();
  if (json) return printJson(holds);
  if (holds.length === 0) return print("Nothing is on hold.");
  printTable(
    ["entry", "since", "whom"],
    holds.map((one) => [`#${one.index}`, clockTime(one.at), whom(one)]),
  );
}

interface Placing {
  readonly principal?: string;
  readonly issuer?: string;
  readonly all?: true;
  readonly reason: string;
  readonly json?: true;
}

async function place({ all, json, ...request }: Placing): Promise<void> {
  if ((request.principal === undefined) !== (all === true))
    throw usage("hold place: name either --principal, or --all.");
  const { behest } = await openLocal();
  await using _ = behest;
  const placed = await behest.holds.place(request);
  if (json) return printJson(placed);
  print(bold("on hold"), `: ${whom(placed)}, until entry #${placed.index} is released.`);
  print(`To show the reason later, keep it with this salt: ${placed.reason.salt}`);
}

async function release(index: number, { reason, json }: { reason: string; json?: true }): Promise<void> {
  const { behest } = await openLocal();
  await using _ = behest;
  const released = await behest.holds.release(index, { reason });
  if (json) return printJson(released);
  print(bold("released"), `: entry #${index}.`);
  print(`To show the reason later, keep it with this salt: ${released.reason.salt}`);
}

function whom({ principals }: Hold): string {
  return principals
    ? principals.map(({ subject, issuer }) => `${subject} (${issuer})`).join(", ")
    : "everybody";
}

function entry(text: string): number {
  if (/^#?[0-9]{1,15}$/.test(text)) return Number(text.replace("#", ""));
  throw usage("hold release: write the number of the hold's entry, as hold list shows it.");
}
