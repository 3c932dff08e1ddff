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

/** The files below a root, while the steps of processes are applied to them. */
export class Disk {
  readonly #now: Names = new Map();
  readonly #synced: Names;
  readonly #pending: ((names: Names) => void)[] = [];
  readonly #syncs = new Syncs();
  /** The file that an inode is at the moment; folders are in none. */
  readonly #files = new Map<bigint, File>();

  /** All that is there now is on the disk. */
  constructor(root: string) {
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const file = File.synced(readFileSync(path));
      this.#files.set(statSync(path, { bigint: true }).ino, file);
      this.#now.set(path.slice(root.length + 1), file);
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
        if (file) file.syncBegins(step.process);
        else this.#syncs.begin(step.process, this.#pending.length);
        return;
      case "synced":
        if (file) file.syncEnds(step.process);
        else
          for (const change of this.#pending.splice(0, this.#syncs.end(step.process))) change(this.#synced);
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
    return [...this.#synced].some(([name, file]) => name.startsWith("store/") && file.synced.includes(text));
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

/** Puts the files of the store there, and empty files for effects and answers. */
export function restore(image: Image, root: string): void {
  mkdirSync(join(root, "store"), { recursive: true, mode: 0o700 });
  for (const name of ["effects", "answers"]) writeFileSync(join(root, name), "");
  for (const [name, bytes] of image)
    if (name.startsWith("store/")) writeFileSync(join(root, name), bytes, { mode: 0o600 });
}
