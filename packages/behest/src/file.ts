import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { text as textOf } from "node:stream/consumers";
import { CliError } from "./error.ts";

/** Text of a file, or of standard input for `-`. Throws `file_missing`, `file_unreadable`. */
export async function readText(path: string): Promise<string> {
  if (path === "-") return textOf(process.stdin);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export function unreadable(path: string, cause: unknown): CliError {
  if ((cause as NodeJS.ErrnoException).code === "ENOENT")
    return new CliError("file_missing", `there is no file ${path}.`, { cause });
  return new CliError("file_unreadable", `${path} cannot be read.`, { cause });
}

/** Whether anything has this name, a link to nowhere included. What cannot be seen cannot be written either. */
export function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A file that appears whole or not at all, and replaces nothing; for its owner alone. */
export class NewFile {
  readonly #path: string;
  readonly #draft: string;
  readonly #fd: number;

  /** Throws `file_exists`, `file_unwritable`. */
  constructor(path: string) {
    this.#path = path;
    this.#draft = `${path}.${process.pid}.tmp`;
    this.#refuseExisting();
    this.#fd = this.#told(() => openSync(this.#draft, "wx", 0o600));
  }

  write(text: string): void {
    this.#told(() => writeFileSync(this.#fd, text));
  }

  /** Makes it appear. */
  finish(): void {
    this.#refuseExisting();
    this.#told(() => {
      fsyncSync(this.#fd);
      renameSync(this.#draft, this.#path);
    });
  }

  /** Closes it; unless it is finished, nothing is left of it. */
  [Symbol.dispose](): void {
    closeSync(this.#fd);
    rmSync(this.#draft, { force: true });
  }

  #refuseExisting(): void {
    if (isThere(this.#path))
      throw new CliError(
        "file_exists",
        `${this.#path} is there already. Choose another name, or remove it first.`,
      );
  }

  #told<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw new CliError("file_unwritable", `${this.#path} cannot be written.`, { cause });
    }
  }
}

/** Writes a new file, whole or not at all. Throws `file_exists`, `file_unwritable`. */
export function writeNew(path: string, text: string): void {
  using file = new NewFile(path);
  file.write(text);
  file.finish();
}
