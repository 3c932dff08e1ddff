import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Behest, createBehest, signDecision, sqliteStore } from "@behest/core";
import { holderOf, is } from "@behest/delegation";
import { signerOf } from "@behest/jws";
import { expect, test } from "vitest";
import { deployment } from "../test/deployment.ts";

const program = resolve(import.meta.dirname, "../test/defers.ts");
const any = { "*": is.any.constraint };

interface Said {
  readonly answer: string;
  readonly outcomes: readonly string[];
  readonly told: readonly string[];
}

/** A folder for processes that share a log; what they did; and a person. */
async function processes() {
  const folder = mkdtempSync(join(tmpdir(), "behest-defers-"));
  const cfo = await deployment(folder, { pay: any, look: any }, { approvals: { pay: { finance: 1 } } });
  const notes = (): string[] =>
    existsSync(join(folder, "notes")) ? readFileSync(join(folder, "notes"), "utf8").trim().split("\n") : [];
  const children: ChildProcess[] = [];
  const start = (step: "first" | "dies" | "second", stderr: "inherit" | "ignore" = "inherit") => {
    const child = spawn(process.execPath, ["--conditions=@behest/source", program, folder, step], {
      stdio: ["ignore", "pipe", stderr],
    });
    children.push(child);
    return child;
  };
  const until = async (is: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await is())) await setTimeout(20);
  };
  /** Runs until it hangs, its payment deferred; answers with how it is killed. */
  const hanging = async (step: "first" | "dies") => {
    const child = start(step);
    const exit = once(child, "exit");
    await until(() => notes().includes("hangs"));
    return {
      stop: () => child.kill("SIGSTOP"),
      kill: async () => (child.kill("SIGKILL"), expect(await exit).toEqual([null, "SIGKILL"])),
      killed: async () => expect(await exit).toEqual([null, "SIGKILL"]),
    };
  };
  const second = async (stderr?: "ignore"): Promise<Said> => {
    const child = start("second", stderr);
    let said = "";
    child.stdout!.on("data", (data) => (said += String(data)));
    await once(child, "close");
    return JSON.parse(said) as Said;
  };
  const beside = async <T>(work: (behest: Behest) => Promise<T>): Promise<T> => {
    const { owner, manifest, enforcer, holder } = JSON.parse(
      readFileSync(join(folder, "deployment.json"), "utf8"),
    );
    await using behest = await createBehest({
      trust: { owner, manifest },
      signer: signerOf(enforcer),
      holder: holderOf(holder),
      store: sqliteStore(join(folder, "log.sqlite")),
      policy: "grants-alone",
    });
    return await work(behest);
  };
  const decide = (decision: "approve" | "deny") =>
    beside(async ({ approvals }) => {
      const [one, ...others] = await approvals.list({ group: "finance" });
      expect(others).toEqual([]);
      await approvals.submit(one!.id, await signDecision(one!, { decision }, cfo));
    });
  const outcomes = () =>
    beside(async ({ records }) =>
      (await records.list({ tool: "pay", verdict: "permit" })).map(({ outcome }) => outcome),
    );
  const done = () =>
    beside(({ records }) =>
      until(async () => (await records.list({ tool: "pay" })).some(({ outcome }) => outcome === "done")),
    );
  const end = (): void => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  return { hanging, second, decide, outcomes, done, notes, until, [Symbol.dispose]: end };
}

const RECEIPT = /^success: BehestDeferred: pay: .* Receipt: [\w-]{12}\..*; success: seen$/;

/** In all its lives a run asks its model three times. */
const notesOf = (paid: number): string[] => [
  "asked",
  "asked",
  "hangs",
  "asked",
  ...Array(paid).fill("paid 5"),
];

test.for([
  ["approve", ["done"], 1],
  ["deny", ["approval_denied"], 0],
] as const)(
  "killed after the receipt, then decided (%s): the next process is told the same, and does what was decided",
  async ([decision, outcomes, paid]) => {
    using shared = await processes();
    const { kill } = await shared.hanging("first");
    await kill();
    await shared.decide(decision);
    const said = await shared.second();
    expect(said.answer).toMatch(RECEIPT);
    expect(said.outcomes).toEqual(outcomes);
    expect(said.told).toHaveLength(1);
    expect(shared.notes().toSorted()).toEqual(notesOf(paid).toSorted());
  },
);

test("killed between approval and begin: it is done once, by the next", async () => {
  using shared = await processes();
  const { stop, kill } = await shared.hanging("first");
  // Held, so that it learns nothing of the approval.
  stop();
  await shared.decide("approve");
  await kill();
  expect((await shared.second()).outcomes).toEqual(["done"]);
  expect(await shared.outcomes()).toEqual(["done"]);
  expect(shared.notes().toSorted()).toEqual(notesOf(1).toSorted());
});

test("killed in the body: nobody knows how it ended, and it is not done again", async () => {
  using shared = await processes();
  const { killed } = await shared.hanging("dies");
  await shared.decide("approve");
  await killed();
  const said = await shared.second();
  expect(said.answer).toMatch(RECEIPT);
  expect(said.outcomes).toEqual(["outcome_unknown"]);
  expect(said.told[0]).toContain("nobody knows how it ended");
  expect(await shared.outcomes()).toEqual(["unknown"]);
  expect(shared.notes().toSorted()).toEqual(notesOf(1).toSorted());
});

test("killed when it was done: the next is told the same receipt, and the recorded outcome", async () => {
  using shared = await processes();
  const { kill } = await shared.hanging("first");
  await shared.decide("approve");
  await shared.done();
  await kill();
  const said = await shared.second();
  expect(said.answer).toMatch(RECEIPT);
  expect(said.told[0]).toContain('"result":"paid 5"');
  expect(shared.notes().toSorted()).toEqual(notesOf(1).toSorted());
});

test("while nobody has decided nothing is done, however many processes see to it", async () => {
  using shared = await processes();
  const first = await shared.hanging("first");
  await first.kill();
  const two = Promise.allSettled([shared.second("ignore"), shared.second("ignore")]);
  await shared.until(() => shared.notes().filter((note) => note === "asked").length >= 3);
  expect(shared.notes()).not.toContain("paid 5");
  await shared.decide("approve");
  const said = await two;
  // Both took the run up: one of them may have been refused where it asked the model what the other had.
  expect(said.some(({ status }) => status === "fulfilled")).toBe(true);
  expect(shared.notes().filter((note) => note === "paid 5")).toHaveLength(1);
});
