import { readFileSync } from "node:fs";
import { textOf } from "./calls.ts";

/**
 * Where a step happened: a write-ahead log, another file of the store, a folder of it, the effects of bodies, the
 * answers, a connection between a client and PostgreSQL.
 */
export type Place = "w" | "d" | "n" | "e" | "a" | "m";

/** One line of what synclog.c wrote down; see there. */
export interface Step {
  readonly op: "write" | "truncate" | "sync" | "synced" | "create" | "unlink" | "rename" | "message";
  readonly place: Place;
  /** Of a write: its first or its second half. */
  readonly half: number;
  /** It did not happen: the process was killed right before it, or it was made to fail. */
  readonly prevented?: "killed" | "failed";
  readonly inode: bigint;
  /** Of a truncation: the new size. */
  readonly offset: number;
  /** Its id. */
  readonly process: number;
  /** What was written; of create and unlink the name below the root, of rename both, a line each. */
  readonly bytes: Buffer;
}

const OPS: { readonly [op: string]: Step["op"] } = {
  w: "write",
  t: "truncate",
  s: "sync",
  S: "synced",
  c: "create",
  u: "unlink",
  r: "rename",
  m: "message",
};
const HEADER = 32;

/** Those that begin `from` so many bytes. The last one may still be being written: then it is not there yet. */
export function readSteps(path: string, from = 0): Step[] {
  const log = readFileSync(path).subarray(from);
  const steps: Step[] = [];
  for (let at = 0; at + HEADER <= log.length;) {
    const [op, place, half, prevented] = log.subarray(at, at + 4);
    const end = at + HEADER + log.readUInt32LE(at + 4);
    if (end > log.length) break;
    steps.push({
      op: OPS[String.fromCharCode(op!)]!,
      place: String.fromCharCode(place!) as Place,
      half: half!,
      ...(prevented && { prevented: prevented === "k".charCodeAt(0) ? "killed" : "failed" }),
      inode: log.readBigUInt64LE(at + 8),
      offset: Number(log.readBigUInt64LE(at + 16)),
      process: Number(log.readBigUInt64LE(at + 24)),
      bytes: log.subarray(at + HEADER, end),
    });
    at = end;
  }
  return steps;
}

/** How many bytes of the file they are. */
export function sizeOf(steps: readonly Step[]): number {
  return steps.reduce((size, { bytes }) => size + HEADER + bytes.length, 0);
}

/** The lines that were begun in the file of effects or of answers. */
export function said(steps: readonly Step[], place: "e" | "a"): string[] {
  return steps.filter((step) => isLine(step, place)).map(({ bytes }) => textOf(bytes.toString("latin1")));
}

export function isLine({ op, place, half, prevented }: Step, wanted: Place): boolean {
  return op === "write" && place === wanted && half === 1 && !prevented;
}
