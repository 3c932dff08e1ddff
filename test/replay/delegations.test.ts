import { checkArguments } from "@behest/delegation";
import { expect, test } from "vitest";
import { type Call, recorded } from "./recordings.ts";
import { suites } from "./suites.ts";

if (!recorded) console.log("skipped: recorded delegations (../shared/replay is absent)");

test.skipIf(!recorded)(
  "every recorded call, under every delegation of its suite, is permitted where a naive reading says so",
  () => {
    for (const { runs, tools, about } of suites()) {
      const tasks = new Map(runs.map((run) => [run.user_task, run]));
      const calls = new Map(
        runs
          .flatMap(({ turns }) => turns.flat())
          .map((call) => [JSON.stringify([call.tool, call.args]), call]),
      );
      for (const [task, run] of tasks) {
        const granted = tools(run);
        const permitted = (call: Call): boolean =>
          checkArguments(granted, call.tool, call.args) === undefined;
        const wrong = [...calls.values()].filter((call) => permitted(call) !== about(run, call).inside);
        expect(wrong.map(({ tool }) => `${task} ${tool}`)).toEqual([]);
      }
    }
  },
);
