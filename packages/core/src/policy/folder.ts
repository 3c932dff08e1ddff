import { closeSync, constants, fstatSync, openSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BehestError } from "../error.ts";

/** A file of policies, or a schema. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

export interface Sources {
  /** Sorted by name. */
  readonly files: readonly SourceFile[];
  /** What we ship. */
  readonly shipped: SourceFile;
  /** What the user adds to it. */
  readonly schema: SourceFile | undefined;
}

/** Bytes of one file, and how many files. */
const LARGEST = 256 * 1024;
const MOST = 200;

/** Ids of policies begin with it, and they stand in entries and messages. */
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** The same from `src` and from `dist`. */
const SHIPPED = fileURLToPath(new URL("../../policies/", import.meta.url));

/** `"default"`: the policies that we ship; else the `.cedar` files of a folder, not of those below it, and at most one `.cedarschema`. Throws `policy_missing`, `policy_invalid`. */
export function readSources(policy: string): Sources {
  const shipped = read(SHIPPED, "behest.cedarschema");
  if (policy === "default") return { files: [read(SHIPPED, "default.cedar")], shipped, schema: undefined };
  const names = list(policy);
  const files = names.filter((name) => name.endsWith(".cedar"));
  const [schema, another] = names.filter((name) => name.endsWith(".cedarschema"));
  if (files.length === 0) throw missing(`${policy} holds no .cedar file. Put one there, or write "default".`);
  if (files.length > MOST) throw invalid(`${policy} holds more than ${MOST} .cedar files.`);
  if (another !== undefined)
    throw invalid(`${policy} holds more than one .cedarschema. Put them into one file.`);
  return {
    files: files.map((name) => read(policy, name)),
    shipped,
    schema: schema === undefined ? undefined : read(policy, schema),
  };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (cause) {
    throw missing(`${folder} is no folder that can be read.`, cause);
  }
}

function read(folder: string, name: string): SourceFile {
  if (!NAME.test(name)) throw invalid("a file's name has other than letters, digits, dots, - and _.");
  const path = join(folder, name);
  const bytes = bytesOf(path);
  try {
    return { file: name, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw invalid(`${name}:1:1: it is not UTF-8.`, cause);
  }
}

function bytesOf(path: string): Uint8Array {
  let fd: number;
  try {
    // Opening a pipe must not wait for somebody who writes into it.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw missing(`${path} cannot be read.`, cause);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw missing(`${path} is no file.`);
    if (stat.size > LARGEST) throw invalid(`${path} is larger than ${LARGEST} bytes.`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function missing(message: string, cause?: unknown): BehestError {
  return new BehestError("policy_missing", `policy_missing: ${message}`, { cause });
}

function invalid(message: string, cause?: unknown): BehestError {
  return new BehestError("policy_invalid", `policy_invalid: ${message}`, { cause });
}
