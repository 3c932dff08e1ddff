import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Flaw } from "./flaws.ts";
import { type Step, readSteps } from "./steps.ts";

/** What a process is told. */
export interface Task {
  /** File with the Deployment. */
  readonly deployment: string;
  /** File with the keys of those who approve. */
  readonly persons: string;
  /** Folder of the store, the effects and the answers. */
  readonly root: string;
  /** How many lives the run has had before this one. */
  readonly life: number;
  /** Calls at a time. */
  readonly lanes: number;
  /** Bytes of each result. */
  readonly weight: number;
  /** Persons are there, and the agent waits for them. */
  readonly approver: boolean;
  readonly flaw?: Flaw;
}

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

/** The processes of one life. */
export type Who = "agent" | "approver";

export interface Aim {
  readonly who: Who;
  readonly how: "kill" | "fail";
  /** Before the `at`th step, from 1, in this place; `*`: anywhere; `s`: that is part of a sync of the store. */
  readonly place: "*" | "s" | "w" | "d" | "e" | "a";
  readonly at: number;
}

/** What became of the machine. */
export interface Life {
  /** Of all its processes, in the order in which they happened. */
  readonly steps: readonly Step[];
  /** The step before which it was stopped, or that failed. */
  readonly stop: Step | undefined;
  /** What a process wrote to stderr that ended by itself and not well. */
  readonly complaint: string | undefined;
}

export interface LifeOptions {
  readonly synclog: string;
  readonly crew: readonly Who[];
  readonly aim?: Aim | undefined;
  /** Its syncs do nothing. */
  readonly lies?: boolean | undefined;
}

const FLAGS = ["--conditions=@behest/source", "--disable-warning=ExperimentalWarning"];

/** ms; a process that takes longer hangs. */
const LIMIT = 180_000;

/**
 * The agent lives until it has made its calls, persons until it has ended and they have said all. Where one process
 * is killed the machine has stopped: the other one ends at its next step, or here, where it would only wait.
 */
export async function live(task: Task, options: LifeOptions): Promise<Life> {
  const steps = `${task.root}.steps`;
  for (const old of [steps, `${steps}.lock`]) rmSync(old, { force: true });
  const children = new Map(options.crew.map((who) => [who, start(who, task, steps, options)]));
  const ended = [...children].map(async ([who, child]): Promise<string | undefined> => {
    let stderr = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    for (const other of children.values()) if (code !== 0) other.kill("SIGKILL");
    if (who === "agent") children.get("approver")?.stdin!.end();
    return code === 0 ? undefined : `${who}: exit ${code ?? signal}: ${stderr}`;
  });
  if (!children.has("agent")) children.get("approver")?.stdin!.end();
  const complaints = (await Promise.all(ended)).filter((complaint) => complaint !== undefined);
  const seen = readSteps(steps);
  const stop = seen.find(({ prevented }) => prevented);
  return { steps: seen, stop, complaint: stop?.prevented === "killed" ? undefined : complaints[0] };
}

function start(who: Who, task: Task, steps: string, { synclog, aim, lies }: LifeOptions): ChildProcess {
  const program = join(import.meta.dirname, `${who}.ts`);
  return spawn(process.execPath, [...FLAGS, program, JSON.stringify(task)], {
    env: {
      LD_PRELOAD: synclog,
      SYNCLOG_ROOT: task.root,
      SYNCLOG_FILE: steps,
      NODE_COMPILE_CACHE: join(synclog, "..", "compiled"),
      ...(aim?.who === who && { SYNCLOG_AIM: `${aim.how} ${aim.place} ${aim.at}` }),
      ...(lies && { SYNCLOG_LIES: "1" }),
    },
    stdio: [who === "approver" ? "pipe" : "ignore", "ignore", "pipe"],
    timeout: LIMIT,
    killSignal: "SIGKILL",
  });
}
