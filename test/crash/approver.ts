// The persons' process: has their keys, and runs no agent. Hands in what they say of each call that waits until it is
// told to end, and says so once it is taken. Its argument is a Task.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Approval, BehestError, signDecision } from "@behest/core";
import { type PrivateJwk, signerOf } from "@behest/jws";
import { insist } from "./away.ts";
import { lineOf, planOf } from "./calls.ts";
import { GROUP, behestOf, readDeployment } from "./deployment.ts";
import type { Task } from "./life.ts";

const task = JSON.parse(process.argv[2]!) as Task;
const persons = (JSON.parse(readFileSync(task.persons, "utf8")) as PrivateJwk[]).map(signerOf);
const answers = openSync(join(task.root, "answers"), "a");
const behest = await insist(task, () => behestOf(readDeployment(task.deployment), task));
/** Asks that it has said all to: it does so once in its life, whatever was said before it. */
const told = new Set<string>();
let isOver = false;
process.stdin.once("end", () => (isOver = true)).resume();
writeSync(answers, lineOf("approver ready"));
// What waits when it is told to end is decided all the same.
for (let isLast = false; !isLast;) {
  isLast = isOver;
  const waiting = await insist(task, () => behest.approvals.list({ group: GROUP }));
  for (const approval of waiting) if (!told.has(approval.id)) await decide(approval);
  if (!isLast) await sleep(4);
}
await behest.close();
closeSync(answers);

async function decide(approval: Approval): Promise<void> {
  const { id, tool } = approval;
  told.add(id);
  for (const { person, decision } of planOf(tool)!.says) {
    const signed = await signDecision(approval, { decision }, persons[person]!);
    try {
      await insist(task, () => behest.approvals.submit(id, signed));
    } catch (error) {
      // It has started, or the store is broken: no more can be said of it.
      if (
        BehestError.isInstance(error) &&
        (error.code === "approval_missing" || error.code === "store_failed")
      )
        return;
      throw error;
    }
    writeSync(answers, lineOf(`${tool} ${decision === "approve" ? "+" : "-"} ${signed.jws.slice(-12)}`));
  }
}
