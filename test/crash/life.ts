import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Task } from "./child.ts";
import { type Step, readSteps } from "./steps.ts";

/** Compiles the library that writes down steps; undefined where there is no compiler, or no LD_PRELOAD. */
export async function compileSynclog(folder: string): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  const library = join(folder, "synclog.so");
  const source = join(import.meta.dirname, "synclog.c");
  try {
    await promisify(execFile)("gcc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]);
    return library;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export interface Aim {
  readonly how: "kill" | "fail";
  /** Before the `at`th step, from 1, in this place; `*`: anywhere; `s`: that is part of a sync of the store. */
  readonly place: "*" | "s" | "w" | "d" | "e" | "a";
  readonly at: number;
}

/** What became of one process. */
export interface Life {
  readonly steps: readonly Step[];
  /** The step before which it was killed, or that failed. */
  readonly stop: Step | undefined;
  /** What it wrote to stderr, where it ended by itself and not well. */
  readonly complaint: string | undefined;
}

export interface LifeOptions {
  readonly synclog: string;
  readonly aim?: Aim | undefined;
  /** Its syncs do nothing. */
  readonly lies?: boolean | undefined;
}

const CHILD = join(import.meta.dirname, "child.ts");
const FLAGS = ["--conditions=@behest/source", "--disable-warning=ExperimentalWarning"];

/** ms; a process that takes longer hangs. */
const LIMIT = 60_000;

export async function live(task: Task, { synclog, aim, lies }: LifeOptions): Promise<Life> {
  const file = `${task.root}.steps`;
  const env = {
    LD_PRELOAD: synclog,
    SYNCLOG_ROOT: task.root,
    SYNCLOG_FILE: file,
    NODE_COMPILE_CACHE: join(synclog, "..", "compiled"),
    ...(aim && { SYNCLOG_AIM: `${aim.how} ${aim.place} ${aim.at}` }),
    ...(lies && { SYNCLOG_LIES: "1" }),
  };
  const child = spawn(process.execPath, [...FLAGS, CHILD, JSON.stringify(task)], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: LIMIT,
    killSignal: "SIGKILL",
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  const steps = readSteps(file);
  const stop = steps.find(({ prevented }) => prevented);
  const isWell = stop?.prevented === "killed" ? signal === "SIGKILL" : code === 0;
  return { steps, stop, complaint: isWell ? undefined : `exit ${code ?? signal}: ${stderr}` };
}
