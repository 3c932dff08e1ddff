import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { type Head, parseCheckpoint } from "@behest/provenance";

/**
 * The highest checkpoint that was committed, in a file beside the database: whoever puts an older database
 * back without it is found out. Written without a sync, so it may be a little behind, never ahead; a file
 * that cannot be read (torn by a power cut) says nothing, as one that was removed.
 */
export function readSidecar(database: string): Head | undefined {
  try {
    return parseCheckpoint(readFileSync(nameOf(database), "utf8"));
  } catch {
    return undefined;
  }
}

/** Keeps what another process wrote when that is further on. */
export function writeSidecar(database: string, checkpoint: string): void {
  const stored = readSidecar(database);
  if (stored && stored.size >= parseCheckpoint(checkpoint).size) return;
  const draft = `${nameOf(database)}.${process.pid}`;
  writeFileSync(draft, checkpoint, { mode: 0o600 });
  renameSync(draft, nameOf(database));
}

/** Notes the highest head of one process. */
export class HighestHead {
  readonly #database: string;
  #noted: string | undefined;

  constructor(database: string) {
    this.#database = database;
  }

  /** Never throws. */
  note(checkpoint: string | undefined): void {
    if (checkpoint === undefined || checkpoint === this.#noted) return;
    try {
      writeSidecar(this.#database, checkpoint);
      this.#noted = checkpoint;
    } catch {
      // It only falls behind.
    }
  }
}

function nameOf(database: string): string {
  return `${database}-head`;
}
