// What the policies that decide where none are named cost: once at start, and at each action.
import { spawnSync } from "node:child_process";
import { testBehest } from "@behest/core/testing";
import { type Figure, cpuOf, measured, median } from "./figure.ts";

const CHILD = `
  import { testBehest } from "@behest/core/testing";
  const before = process.cpuUsage();
  const behest = await testBehest({ policy: process.argv[1] });
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1000);
  await behest.close();
`;

/** CPU time that they add to the first createBehest of a process: loading Cedar, reading, type-checking and warming them. */
export async function startDefault(): Promise<Figure> {
  const rounds = Array.from({ length: 7 }, () => ({
    with: start("default"),
    without: start("grants-alone"),
  }));
  const added = median(rounds.map((round) => round.with - round.without));
  const beside = { "without, ms": Math.round(median(rounds.map(({ without }) => without))) };
  return measured("start-default", added, "ms", beside);
}

function start(policy: string): number {
  const args = ["--conditions=@behest/source", "--input-type=module", "-e", CHILD, policy];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

/** CPU time of authorize in a session under them, for a read inside; beside it on grants alone. */
export async function authorizeDefault(): Promise<Figure> {
  const under = await authorize("default");
  const beside = { "on grants alone, µs": (await authorize("grants-alone")).toFixed(1) };
  return measured("authorize-default", under, "µs", beside);
}

async function authorize(policy: string): Promise<number> {
  const profiles = { look: { effect: "read", boundary: "inside" } } as const;
  await using behest = await testBehest({ policy, profiles });
  const session = await behest.as("alice", { look: {} });
  const once = (): Promise<{ verdict: string }> => session.authorize({ tool: "look", args: { id: "1" } });
  if ((await once()).verdict !== "permit") throw new Error("the action to measure is not permitted");
  const rounds: number[] = [];
  for (let round = 0; round < 15; round++)
    rounds.push(
      (await cpuOf(async () => {
        for (let i = 0; i < 1_000; i++) await once();
      })) / 1_000,
    );
  return median(rounds.slice(5));
}
