import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { File, Syncs } from "./file.ts";
import type { Random } from "./random.ts";
import type { Step } from "./steps.ts";

/**
 * What a power cut leaves of what was not synced. `lost`: nothing. `torn`: any sectors of it, and of the
 * changes of names the first so many. `kept`: all of it, as after a kill alone.
 */
export type PowerCut = "lost" | "torn" | "kept";

/** File contents by name, below a root. */
export type Image = ReadonlyMap<string, Buffer<ArrayBuffer>>;

type Names = Map<string, File>;

/** Nothing is made of these after a power cut: SQLite's shared memory, and what PostgreSQL makes anew. As in places.h. */
const PASSING = /-shm$|\/postmaster\.|pg_internal\.init|\/pg_stat\/|\/pgsql_tmp/;

/** Write-ahead logs. */
const LOG = /-wal$|\/pg_wal\//;

/** What is below a root. */
type Files = readonly {
  readonly name: string;
  readonly inode: bigint;
  readonly bytes: Buffer<ArrayBuffer>;
}[];

export function filesBelow(root: string): Files {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !PASSING.test(path));
  return paths.map((path) => ({
    name: path.slice(root.length + 1),
    inode: statSync(path, { bigint: true }).ino,
    bytes: readFileSync(path),
  }));
}

/** The files below a root, while the steps of processes are applied to them. */
export class Disk {
  readonly #now: Names = new Map();
  readonly #synced: Names;
  readonly #pending: ((names: Names) => void)[] = [];
  readonly #syncs = new Syncs();
  /** The file that an inode is at the moment; folders are in none. */
  readonly #files = new Map<bigint, File>();

  readonly #isJournalled: boolean;

  /**
   * With what is on it. `journalled`: the sync of a file brings names there, too, in their order, as
   * it does on ext4, XFS and others; PostgreSQL relies on it. Else only the sync of a folder does.
   */
  constructor(files: Files, journalled = false) {
    this.#isJournalled = journalled;
    for (const { name, inode, bytes } of files) {
      const file = new File(bytes);
      this.#files.set(inode, file);
      this.#now.set(name, file);
    }
    this.#synced = new Map(this.#now);
  }

  apply(step: Step): void {
    const file = this.#files.get(step.inode);
    if (step.prevented) {
      if (step.prevented === "failed" && (step.op === "sync" || step.op === "synced")) file?.syncFails();
      return;
    }
    switch (step.op) {
      case "write":
      case "truncate":
        return file!.change(step);
      case "sync":
        file?.syncBegins(step.process);
        if (!file || this.#isJournalled) this.#syncs.begin(step.process, this.#pending.length);
        return;
      case "synced":
        file?.syncEnds(step.process);
        if (!file || this.#isJournalled)
          for (const change of this.#pending.splice(0, this.#syncs.end(step.process))) change(this.#synced);
        return;
      case "message":
        return;
      case "create":
      case "unlink":
      case "rename":
        return this.#rename(step);
    }
  }

  #rename({ op, inode, bytes }: Step): void {
    const [name, to = ""] = bytes.toString().split("\n") as [string, string?];
    const created = new File();
    if (op === "create") this.#files.set(inode, created);
    const change = (names: Names): void => {
      const file = op === "create" ? created : names.get(name);
      names.delete(name);
      if (op !== "unlink" && file) names.set(op === "create" ? name : to, file);
    };
    change(this.#now);
    this.#pending.push(change);
  }

  /** A file of the store holds this text, whatever a power cut now would leave. */
  isSynced(text: string): boolean {
    const isIn = ([name, file]: [string, File], isLog: boolean): boolean =>
      name.startsWith("store/") && LOG.test(name) === isLog && file.synced.includes(text);
    const names = [...this.#synced];
    // Where it is first.
    return names.some((each) => isIn(each, true)) || names.some((each) => isIn(each, false));
  }

  /** What surely is left of a file. */
  synced(name: string): Buffer {
    return Buffer.from(this.#synced.get(name)?.synced ?? "");
  }

  after(cut: PowerCut, random: Random): Image {
    const names = new Map(cut === "kept" ? this.#now : this.#synced);
    if (cut === "torn")
      for (const change of this.#pending.slice(0, random.below(this.#pending.length + 1))) change(names);
    const left = (file: File): Buffer<ArrayBuffer> =>
      cut === "kept" ? file.now : cut === "lost" ? file.synced : file.torn(random);
    return new Map([...names].map(([name, file]) => [name, Buffer.from(left(file))]));
  }
}

/** The test itself is wrong where files are not what the steps have made of them. */
export function refuseUnseen(disk: Disk, root: string, random: Random): void {
  for (const [name, bytes] of disk.after("kept", random))
    if (name.startsWith("store/") && !bytes.equals(readFileSync(join(root, name))))
      throw new Error(`${name} was changed in a way that synclog.c does not see`);
}

/** Puts the files of the store there, and empty files for effects and answers. */
export function restore(image: Image, root: string): void {
  mkdirSync(join(root, "store"), { recursive: true, mode: 0o700 });
  for (const name of ["effects", "answers"]) writeFileSync(join(root, name), "");
  for (const [name, bytes] of image)
    if (name.startsWith("store/")) writeFileSync(join(root, name), bytes, { mode: 0o600 });
}
