import { CodedError, type Json, sha256Text } from "@behest/jws";
import {
  type ActionEntry,
  type EntryPayload,
  type EvidenceBundle,
  opens,
  parseEntry,
  parsePayload,
} from "@behest/provenance";

/** An entry that a bundle shows, where it says that it stands. */
export interface ShownEntry {
  readonly index: number;
  readonly hash: string;
  readonly payload: EntryPayload;
}

/** Those that can be read; that they stand there is for `verifyLog` to say. */
export function entriesOf({ log }: EvidenceBundle): ShownEntry[] {
  const found: ShownEntry[] = [];
  let index = 0;
  for (const shown of log) {
    if (typeof shown !== "string") {
      index += 2 ** shown.level;
      continue;
    }
    try {
      const { hash, payload } = parseEntry(shown);
      found.push({ index, hash, payload: parsePayload(payload) });
    } catch (error) {
      if (!CodedError.isInstance(error)) throw error;
    }
    index++;
  }
  return found;
}

/** What is shown of a commitment: its text, nothing, or something that it is not of. */
export function openingOf(
  { content }: EvidenceBundle,
  commitment: string,
): { readonly text: string } | "absent" | "altered" {
  const opened = Object.hasOwn(content, commitment) ? content[commitment] : undefined;
  if (!opened) return "absent";
  try {
    return opens(commitment, opened.salt, opened.text) ? { text: opened.text } : "altered";
  } catch {
    return "altered";
  }
}

/** The text of this digest; undefined where none, or another, is shown. */
export function textOf(texts: { readonly [digest: string]: string }, digest: string): string | undefined {
  const text = Object.hasOwn(texts, digest) ? texts[digest] : undefined;
  return text !== undefined && sha256Text(text) === digest ? text : undefined;
}

/** What this entry commits to, by field. */
export function commitmentsOf(
  payload: EntryPayload,
): readonly (readonly [field: string, commitment: string])[] {
  if (!("content" in payload)) return [];
  return Object.entries(payload.content as { readonly [field: string]: string });
}

/** It was enforced, and starts or waits for persons alone: every check stands behind it, said or not. */
export function goes({ verdict, enforce }: ActionEntry): boolean {
  return verdict !== "deny" && enforce !== "shadow";
}

/** Arguments by name; a tool that takes a bare value takes it as "input". */
export function namedArguments(args: Json): { readonly [name: string]: Json } {
  const isRecord = typeof args === "object" && args !== null && !Array.isArray(args);
  return isRecord ? (args as { readonly [name: string]: Json }) : { input: args };
}
