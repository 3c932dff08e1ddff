import { chmodSync, closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** The processes of one life, and, on PostgreSQL, those of its server. */
export type Who = "agent" | "approver";
export type Process = Who | "server";

/** Who is stopped by a kill: those whose processes they are die at their own next step. */
export type Stopped = "clients" | "server" | "all";

export interface Aim {
  readonly who: Process;
  readonly how: "kill" | "fail";
  /**
   * Before the `at`th step, from 1, in this place; `*`: anywhere; `s`: that is part of a sync of the store; `m`: a
   * message between a client and PostgreSQL.
   */
  readonly place: "*" | "s" | "w" | "d" | "e" | "a" | "m";
  readonly at: number;
  /** Default: the clients. */
  readonly stops?: Stopped;
}

/** What the processes share that put their steps in one order. */
export interface Machine {
  /** The library that writes them down. */
  readonly synclog: string;
  /** Folder of what they write. */
  readonly root: string;
  /** File of the steps. */
  readonly steps: string;
  /** File of the page in machine.h. */
  readonly page: string;
  /** Its syncs do nothing. */
  readonly lies: boolean;
}

const LETTERS: { readonly [process in Process]: string } = { agent: "a", approver: "p", server: "s" };
const GROUPS: { readonly [stopped in Stopped]: number } = { clients: 1, server: 2, all: 3 };
const STOPPED_AT = 4;

/** A new one, beside `root`. */
export function newMachine(synclog: string, root: string, lies = false): Machine {
  const machine = { synclog, root, steps: `${root}.steps`, page: `${root}.machine`, lies };
  writeFileSync(machine.steps, "");
  writeFileSync(machine.page, Buffer.alloc(4096));
  // A server may run as another user.
  for (const file of [machine.steps, machine.page]) chmodSync(file, 0o666);
  return machine;
}

/** From now on; at nobody where there is no aim. */
export function aimAt({ page }: Machine, aim: Aim | undefined): void {
  // Nobody counts meanwhile.
  write(page, 0, Buffer.alloc(1));
  if (!aim) return;
  const { who, how, place, at, stops = "clients" } = aim;
  const rest = Buffer.alloc(23);
  rest.write(`${how[0]}${place}`, 0, "latin1");
  rest[2] = GROUPS[stops];
  rest.writeBigInt64LE(BigInt(at), 7);
  write(page, 1, rest.subarray(0, STOPPED_AT - 1));
  write(page, 8, rest.subarray(7));
  write(page, 0, Buffer.from(LETTERS[who]));
}

/** Somebody came to the chosen step. */
export function isStopped({ page }: Machine): boolean {
  return readFileSync(page)[STOPPED_AT] !== 0;
}

/** Whoever was stopped may start again. */
export function revive({ page }: Machine): void {
  write(page, STOPPED_AT, Buffer.alloc(1));
}

function write(page: string, at: number, bytes: Buffer): void {
  const file = openSync(page, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

export function envOf(
  { synclog, root, steps, page, lies }: Machine,
  process: Process,
): { readonly [name: string]: string } {
  return {
    LD_PRELOAD: synclog,
    SYNCLOG_ROOT: root,
    SYNCLOG_FILE: steps,
    SYNCLOG_MACHINE: page,
    SYNCLOG_WHO: LETTERS[process],
    NODE_COMPILE_CACHE: join(synclog, "..", "compiled"),
    ...(lies && { SYNCLOG_LIES: "1" }),
  };
}
