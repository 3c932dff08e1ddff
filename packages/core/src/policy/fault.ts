import type { DetailedError } from "@cedar-policy/cedar-wasm/nodejs";
import { BehestError } from "../error.ts";
import { type Statement, indexOf, lineAndColumn } from "./statement.ts";

/** What is wrong with a policy or a schema, and where; line and column from 1. */
export interface PolicyFault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

/** Characters of a reason: Cedar quotes what stands in the file. */
const LONGEST = 400;

/** `at`: UTF-16 index in the file's `source`. */
export function faultAt(file: string, source: string, at: number, reason: string): PolicyFault {
  return { file, ...lineAndColumn(source, at), reason: plain(reason) };
}

/** Cedar's word on one statement, placed in its file. */
export function cedarFault(statement: Statement, source: string, error: DetailedError): PolicyFault {
  const start = error.sourceLocations?.[0]?.start ?? 0;
  // Cedar says which policy it is; the place says so already.
  const reason = said(error).replace(/^for policy `[^`]*`, |^failed to parse policy from string: /, "");
  return faultAt(statement.file, source, statement.from + indexOf(statement.text, start), reason);
}

export function said({ message, help, sourceLocations }: DetailedError): string {
  const more = sourceLocations?.[0]?.label ?? help;
  return more ? `${message}; ${more}` : message;
}

/** Throws `policy_invalid` with the first place, and how many more there are. */
export function refuseFaults(faults: readonly PolicyFault[]): void {
  const [first, ...more] = faults;
  if (!first) return;
  const { file, line, column, reason } = first;
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  throw new BehestError("policy_invalid", `policy_invalid: ${file}:${line}:${column}: ${reason}${others}`);
}

/** On one line, of printable characters only. */
function plain(reason: string): string {
  const text = reason.replaceAll(/[\p{C}\p{Z}]+/gu, " ");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
