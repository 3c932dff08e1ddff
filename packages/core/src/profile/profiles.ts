import { readFileSync } from "node:fs";
import type { Effect } from "@behest/delegation";
import { type Json, parseJson } from "@behest/jws";
import { BehestError } from "../error.ts";
import type { Boundary, Profile } from "./profile.ts";
import { type Template, parseTemplate } from "./template.ts";

/** By the tool's name. */
export type Profiles = { readonly [tool: string]: Profile };

/** Bytes. */
const LARGEST = 1024 * 1024;

/**
 * A file of profiles, for tools that one does not own: `{"<tool>": {"effect": …, "boundary": …, …}}`, by the members
 * of {@link Profile}. `effect` and `boundary` are fixed; `resource`, `workspace` and both members of `amount` are
 * templates (`iban:{iban}`). Throws `profiles_invalid`, which names the file and the member.
 */
export function readProfiles(file: string): Profiles {
  const tools = object(parsed(file), file);
  return Object.fromEntries(
    Object.entries(tools).map(([tool, value]) => [tool, profile(value, `${file}: ${JSON.stringify(tool)}`)]),
  );
}

function parsed(file: string): Json {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > LARGEST) throw new RangeError("too large");
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid(
      file,
      `is no file of at most ${LARGEST} bytes that holds JSON in UTF-8, each name once`,
      cause,
    );
  }
}

type Members = { readonly [name: string]: Json };

function profile(value: Json, at: string): Profile {
  const { effect, boundary, control, resource, workspace, amount, undo } = closed(value, at, [
    "effect",
    "boundary",
    "control",
    "resource",
    "workspace",
    "amount",
    "undo",
  ]);
  return {
    effect: word<Effect>(effect, `${at}.effect`, ["read", "reversible", "irreversible"]),
    boundary: word<Boundary>(boundary, `${at}.boundary`, ["inside", "outside"]),
    ...(control !== undefined && { control: names(control, `${at}.control`) as never }),
    ...(resource !== undefined && { resource: template(resource, `${at}.resource`) }),
    ...(workspace !== undefined && { workspace: template(workspace, `${at}.workspace`) }),
    ...(amount !== undefined && { amount: money(amount, `${at}.amount`) }),
    ...(undo !== undefined && { undo: text(undo, `${at}.undo`) }),
  };
}

function money(value: Json, at: string): NonNullable<Profile["amount"]> {
  const members = closed(value, at, ["value", "currency"]);
  const spent = template(members["value"], `${at}.value`);
  const currency = template(members["currency"], `${at}.currency`);
  return (args: Json) => ({ value: spent(args), currency: currency(args) });
}

function object(value: Json, at: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(at, "is no object");
  return value as Members;
}

function closed(value: Json, at: string, known: readonly string[]): Members {
  const members = object(value, at);
  const stranger = Object.keys(members).find((name) => !known.includes(name));
  if (stranger === undefined) return members;
  throw invalid(at, `has a member ${JSON.stringify(stranger)}; it may have ${known.join(", ")}`);
}

function word<W extends string>(value: Json | undefined, at: string, words: readonly W[]): W {
  const found = words.find((one) => one === value);
  if (found !== undefined) return found;
  throw invalid(at, `is none of ${words.map((one) => `"${one}"`).join(", ")}`);
}

function text(value: Json | undefined, at: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw invalid(at, "is no text");
}

function names(value: Json, at: string): readonly string[] {
  if (!Array.isArray(value)) throw invalid(at, "is no list of arguments' names");
  return value.map((name: Json, i) => text(name, `${at}[${i}]`));
}

function template(value: Json | undefined, at: string): Template {
  const read = parseTemplate(text(value, at));
  if (read) return read;
  throw invalid(
    at,
    'is no template: text, with names of arguments in braces that stand apart ("iban:{iban}")',
  );
}

function invalid(at: string, reason: string, cause?: unknown): BehestError {
  return new BehestError("profiles_invalid", `profiles_invalid: ${at} ${reason}.`, { cause });
}
