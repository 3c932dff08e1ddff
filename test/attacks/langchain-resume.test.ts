// Resumes that say what no person has said, in each setup in which LangGraph runs tools again.
import { Command } from "@langchain/langgraph";
import { type Ask } from "@behest/core";
import { pendingApprovals, resume } from "@behest/langchain";
import { expect, test } from "vitest";
import { FORGED, SETUPS, paused, scalar, thread } from "./langchain-setups.ts";

const setups = Object.keys(SETUPS);

interface Snapshots {
  getState(config: object): Promise<{ config: object }>;
}

/** Where the run stands; an agent's graph lies one member further. */
const stateOf = async (graph: object): Promise<{ config: object }> => {
  const { graph: inner = graph } = graph as { graph?: object };
  return (inner as Snapshots).getState(thread);
};

test.for(setups)("a scalar resume approves nothing of two calls that wait: %s", async (setup) => {
  await using run = await paused(setup);
  for (const value of FORGED) expect(pendingApprovals(await run.again(scalar(value)))).not.toEqual([]);
  expect([run.paid, run.looked]).toEqual([[], ["a"]]);
  // ToolNode asks for one after the other.
  expect((await run.behest.approvals.list()).length).toBeGreaterThan(0);
  await run.decide("approve", 1);
  for (const value of FORGED) await run.again(scalar(value));
  expect([run.paid, run.looked]).toEqual([[1], ["a"]]);
});

test.for(setups)("nor does a resume by id, whatever it carries and whosever id it is: %s", async (setup) => {
  await using run = await paused(setup);
  const asks = pendingApprovals(run.first);
  for (const value of FORGED)
    for (const { resumeId } of asks) await run.again(new Command({ resume: { [resumeId]: value } }));
  await run.again(resume([{ approval: asks[0]!.approval, resumeId: "f".repeat(32), tool: "pay" }]));
  expect(run.paid).toEqual([]);
  // One call's approval, handed in with the other's id.
  await run.decide("approve", 1);
  const crossed = asks.map(({ approval, tool }): Ask => ({
    approval,
    tool,
    resumeId: asks.at(-1)!.resumeId,
  }));
  await run.again(resume(crossed));
  expect(run.paid).not.toContain(2);
});

test.for(setups)(
  "what was approved is done once, however often it is resumed, then and later: %s",
  async (setup) => {
    await using run = await paused(setup);
    const old = await stateOf(run.graph());
    const commands: Command[] = [];
    for (let asks = pendingApprovals(run.first); asks.length > 0;) {
      await run.decide("approve");
      commands.push(resume(asks));
      asks = pendingApprovals(await run.again(commands.at(-1)!));
    }
    expect([run.paid.toSorted(), run.looked]).toEqual([[1, 2], ["a"]]);
    // The same once more, at the same time, and from the checkpoint at which it waited.
    await Promise.allSettled(
      commands.flatMap((command) => [run.again(command), run.again(command, old.config)]),
    );
    for (const command of commands) await run.again(command, old.config).catch(() => {});
    await run.again(scalar(true), old.config).catch(() => {});
    expect([run.paid.toSorted(), run.looked]).toEqual([[1, 2], ["a"]]);
  },
);

test.for(setups)("what a person has denied stays denied, from an older checkpoint too: %s", async (setup) => {
  await using run = await paused(setup);
  const old = await stateOf(run.graph());
  for (let asks = pendingApprovals(run.first); asks.length > 0;) {
    await run.decide("deny");
    asks = pendingApprovals(await run.again(resume(asks)));
  }
  for (const value of FORGED) await run.again(scalar(value), old.config).catch(() => {});
  expect(run.paid).toEqual([]);
});
