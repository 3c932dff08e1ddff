import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CliError } from "./error.ts";
import { isThere } from "./file.ts";

/** Throws `config_exists` where anything has this name. */
export function refuseExisting(path: string): void {
  if (isThere(path))
    throw new CliError(
      "config_exists",
      `${path} is there already; nothing was changed. Remove it first, or choose another folder.`,
    );
}

/**
 * A folder with these files, all for their owner alone, that appears whole or not at all. Folders above it are
 * made. Throws `config_exists`, `file_unwritable`.
 */
export function newFolder(path: string, files: { readonly [name: string]: string }): void {
  refuseExisting(path);
  let draft: string | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    draft = mkdtempSync(join(dirname(path), `.${basename(path)}-`));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(draft, name), text, { mode: 0o600, flag: "wx", flush: true });
    renameSync(draft, path);
  } catch (cause) {
    if (draft !== undefined) rmSync(draft, { recursive: true, force: true });
    throw new CliError("file_unwritable", `${path} cannot be made.`, { cause });
  }
}
