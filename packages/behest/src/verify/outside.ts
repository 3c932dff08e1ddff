import {
  type Head,
  type LogEvidence,
  type NamedKey,
  parseVkey,
  parseWitnessPolicy,
} from "@behest/provenance";
import type { Command } from "commander";
import { usage } from "../error.ts";
import { readText } from "../file.ts";
import { headOf } from "../pinned.ts";
import { headsIn } from "./heads.ts";

/** What the log is compared with that others hold. */
export interface OutsideOptions {
  readonly head?: Head;
  readonly heads?: readonly string[];
  readonly cosigned?: readonly string[];
  readonly witness?: readonly NamedKey[];
  readonly need?: number;
  readonly policy?: string;
}

export function outsideOptions(command: Command): Command {
  const also = (text: string, before?: readonly string[]): string[] => [...(before ?? []), text];
  return command
    .option("--head <size:root>", "a head that somebody else has kept", headOf)
    .option("--heads <file>", "more of them, one a line, or spans as OTLP JSON", also)
    .option("--cosigned <file>", "a checkpoint of this log, as a witness hands it out", also)
    .option(
      "--witness <vkey>",
      "a witness who has to have cosigned; several may be given",
      (text: string, before?: readonly NamedKey[]) => [...(before ?? []), witnessOf(text)],
    )
    .option(
      "--need <k>",
      "so many of them, or of those that the trust manifest names (default: all given)",
      needOf,
    )
    .option("--policy <file>", "who has to have cosigned, as a C2SP tlog-policy");
}

/** Throws `usage`, `file_…`, `malformed_input`, `malformed_witness_policy`. */
export async function outside(
  options: OutsideOptions,
): Promise<Pick<LogEvidence, "head" | "heads" | "witnesses"> & { readonly cosigned: readonly string[] }> {
  const { head, witness, need, policy } = options;
  if (policy !== undefined && (witness || need !== undefined))
    throw usage("--policy: it says who and how many; leave out --witness and --need.");
  if (witness && new Set(witness.map(({ jwk }) => jwk.x)).size < Math.max(need ?? 0, witness.length))
    throw usage("--need: more than the different witnesses that are given.");
  const heads = (await Promise.all((options.heads ?? []).map(headsIn))).flat();
  const cosigned = await Promise.all((options.cosigned ?? []).map(readText));
  const witnesses =
    policy !== undefined
      ? parseWitnessPolicy(await readText(policy))
      : (witness ?? need) === undefined
        ? undefined
        : { need: need ?? witness!.length, ...(witness && { keys: witness }) };
  return { cosigned, heads, ...(head && { head }), ...(witnesses && { witnesses }) };
}

function witnessOf(text: string): NamedKey {
  try {
    const { type, ...key } = parseVkey(text);
    if (type === "witness") return key;
  } catch {
    // Told below, without what was written.
  }
  throw usage("--witness: a witness's verifier key, as it prints it when it starts.");
}

function needOf(text: string): number {
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw usage("--need: a number from 1 on.");
}
