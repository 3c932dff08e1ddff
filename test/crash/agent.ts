// The agent's process: makes its calls, several at a time, and says what came of each. Its argument is a Task.
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BehestError, type Session } from "@behest/core";
import { insist, isAway } from "./away.ts";
import { type Call, callsUntil, kindOf, lineOf } from "./calls.ts";
import { behestOf, readDeployment } from "./deployment.ts";
import type { Task } from "./life.ts";

const task = JSON.parse(process.argv[2]!) as Task;
const { flaw } = task;
const effects = openSync(join(task.root, "effects"), "a");
const answers = openSync(join(task.root, "answers"), "a");
const deployment = readDeployment(task.deployment);
const behest = await insist(task, () => behestOf(deployment, task));
const delegation = flaw === "asks one person" ? deployment.lax : deployment.delegation;
const run = flaw === "forgets its run" ? `run-${task.life}` : "run";
const session = await insist(task, () => behest.open(delegation, { run }));
const calls = callsUntil(task.life).values();
writeSync(answers, lineOf("agent ready"));
await Promise.all(Array.from({ length: task.lanes }, lane));
await behest.close();
closeSync(effects);
closeSync(answers);

async function lane(): Promise<void> {
  for (const call of calls) {
    let answer = await answerTo(call);
    if (answer === "approval_needed") {
      say(call, answer);
      if (!task.approver) continue;
      while (answer === "approval_needed") {
        await sleep(4);
        answer = await answerTo(call);
      }
    }
    say(call, answer);
  }
}

function say({ tool }: Call, answer: string): void {
  writeSync(answers, lineOf(`${tool} ${answer}`));
}

/** Of a store that is there. */
async function answerTo(call: Call): Promise<string> {
  for (;;) {
    const answer = await perform(session, call);
    if (!isAway(task, answer)) return answer;
    await sleep(20);
  }
}

async function perform(own: Session, call: Call): Promise<string> {
  const { tool, callId } = call;
  if (flaw === "acts first") await act(call).catch(() => {});
  try {
    const ended = await own.perform({ tool, callId, args: { to: tool } }, async () =>
      flaw === "acts first" ? resultOf(call) : act(call),
    );
    if (ended.outcome !== "done") return ended.outcome;
    return ended.value === resultOf(call) ? "done" : "wrong_result";
  } catch (error) {
    if (BehestError.isInstance(error)) return error.code;
    throw error;
  }
}

/** The tool's body: one line is its effect on the world. */
async function act({ tool }: Call): Promise<string> {
  await sleep(tool.charCodeAt(tool.length - 1) % 4);
  writeSync(effects, lineOf(tool));
  fdatasyncSync(effects);
  if (kindOf(tool) === "fail") throw new Error("not today");
  return resultOf({ tool });
}

function resultOf({ tool }: Pick<Call, "tool">): string {
  return tool.padEnd(task.weight, "-");
}
