// The process that is killed: makes its calls, several at a time, and says what came of each. Its argument is a Task.
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BehestError, type Session } from "@behest/core";
import { type Call, callsUntil, lineOf } from "./calls.ts";
import { type Deployment, behestOf } from "./deployment.ts";

export interface Task {
  /** File with the Deployment. */
  readonly deployment: string;
  /** Folder of the store, the effects and the answers. */
  readonly root: string;
  /** How many lives the run has had before this one. */
  readonly life: number;
  /** Calls at a time. */
  readonly lanes: number;
  /** Bytes of each result. */
  readonly weight: number;
  /** What is wrong with this process, on purpose. */
  readonly flaw?: "acts first" | "forgets its run";
}

const task = JSON.parse(process.argv[2]!) as Task;
const effects = openSync(join(task.root, "effects"), "a");
const answers = openSync(join(task.root, "answers"), "a");
const deployment = JSON.parse(readFileSync(task.deployment, "utf8")) as Deployment;
const behest = await behestOf(deployment, join(task.root, "store", "log.sqlite"));
const run = task.flaw === "forgets its run" ? `run-${task.life}` : "run";
const session = await behest.open(deployment.delegation, { run });
const calls = callsUntil(task.life).values();
await Promise.all(Array.from({ length: task.lanes }, lane));
await behest.close();
closeSync(effects);
closeSync(answers);

async function lane(): Promise<void> {
  for (const call of calls) writeSync(answers, lineOf(`${call.tool} ${await perform(session, call)}`));
}

async function perform(session: Session, call: Call): Promise<string> {
  const { tool, callId } = call;
  if (task.flaw === "acts first") await act(call).catch(() => {});
  try {
    const ended = await session.perform({ tool, callId, args: { to: tool } }, async () =>
      task.flaw === "acts first" ? resultOf(call) : act(call),
    );
    if (ended.outcome !== "done") return ended.outcome;
    return ended.value === resultOf(call) ? "done" : "wrong_result";
  } catch (error) {
    if (BehestError.isInstance(error)) return error.code;
    throw error;
  }
}

/** The tool's body: one line is its effect on the world. */
async function act(call: Call): Promise<string> {
  await sleep(call.tool.charCodeAt(call.tool.length - 1) % 4);
  writeSync(effects, lineOf(call.tool));
  fdatasyncSync(effects);
  if (call.kind === "fail") throw new Error("not today");
  return resultOf(call);
}

function resultOf({ tool }: Call): string {
  return tool.padEnd(task.weight, "-");
}
