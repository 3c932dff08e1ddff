import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Flaw } from "./flaws.ts";
import { type Aim, type Machine, type Who, aimAt, envOf, newMachine } from "./machine.ts";
import { type Step, readSteps } from "./steps.ts";

/** What a process is told. */
export interface Task {
  /** File with the Deployment. */
  readonly deployment: string;
  /** File with the keys of those who approve. */
  readonly persons: string;
  /** Folder of the effects and the answers, and of a store on SQLite. */
  readonly root: string;
  /** Of a store on PostgreSQL. It may be away for a while: then everything is tried again. */
  readonly url?: string;
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

/** A life on a machine of its own. */
export async function live(task: Task, { synclog, crew, aim, lies }: LifeOptions): Promise<Life> {
  const machine = newMachine(synclog, task.root, lies);
  aimAt(machine, aim);
  const complaint = await run(task, crew, machine);
  return lifeOf(readSteps(machine.steps), complaint);
}

function lifeOf(steps: readonly Step[], complaint: string | undefined): Life {
  const stop = steps.find(({ prevented }) => prevented);
  return { steps, stop, complaint: stop?.prevented === "killed" ? undefined : complaint };
}

const FLAGS = ["--conditions=@behest/source", "--disable-warning=ExperimentalWarning"];

/** ms; a process that takes longer hangs. */
const LIMIT = 180_000;

/**
 * The agent lives until it has made its calls, persons until it has ended and they have said all. Where one process
 * is killed the machine has stopped: the other one ends at its next step, or here, where it would only wait. So does
 * everybody when `stopped` says so. Answers with what is wrong.
 */
export async function run(
  task: Task,
  crew: readonly Who[],
  machine: Machine,
  stopped?: AbortSignal,
): Promise<string | undefined> {
  const children = new Map(crew.map((who) => [who, start(who, task, machine)]));
  const killAll = (): void => {
    for (const child of children.values()) child.kill("SIGKILL");
  };
  stopped?.addEventListener("abort", killAll);
  const ended = [...children].map(async ([who, child]): Promise<string | undefined> => {
    let stderr = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (code !== 0) killAll();
    if (who === "agent") children.get("approver")?.stdin!.end();
    return code === 0 ? undefined : `${who}: exit ${code ?? signal}: ${stderr}`;
  });
  if (!children.has("agent")) children.get("approver")?.stdin!.end();
  const complaints = await Promise.all(ended);
  stopped?.removeEventListener("abort", killAll);
  return complaints.find((complaint) => complaint !== undefined);
}

function start(who: Who, task: Task, machine: Machine): ChildProcess {
  const program = join(import.meta.dirname, `${who}.ts`);
  return spawn(process.execPath, [...FLAGS, program, JSON.stringify(task)], {
    env: envOf(machine, who),
    stdio: [who === "approver" ? "pipe" : "ignore", "ignore", "pipe"],
    timeout: LIMIT,
    killSignal: "SIGKILL",
  });
}
