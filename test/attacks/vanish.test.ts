// A store that vanishes while an approved action waits, under a process of either framework.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { createBehest, signDecision, sqliteStore } from "@behest/core";
import { signerOf } from "@behest/jws";
import { expect, onTestFinished, test } from "vitest";
import { deployment } from "../../packages/langchain/test/deployment.ts";
import { granted } from "./deployment.ts";

const WAITER = resolve(import.meta.dirname, "waiter.ts");
const FLAGS = ["--conditions=@behest/source", "--disable-warning=ExperimentalWarning"];

interface Waiter {
  readonly folder: string;
  readonly pid: number;
  /** Tells it something. */
  tell(order: string): void;
  /** Tells it to go on, and what comes of it. */
  goOn(): Promise<string>;
  readonly paid: () => boolean;
}

/** A process whose payment waits, and has been approved. */
async function approved(framework: string): Promise<Waiter> {
  const folder = mkdtempSync(join(tmpdir(), "behest-vanish-"));
  const cfo = await deployment(folder, granted, { approvals: { pay: { finance: 1 } } });
  const child = spawn(process.execPath, [...FLAGS, WAITER, folder, framework], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = async (): Promise<{ waits?: number; answer?: string }> =>
    JSON.parse(((await lines.next()) as { value: string }).value);
  expect(await said()).toEqual({ waits: 1 });
  const { owner, manifest, enforcer } = JSON.parse(readFileSync(join(folder, "deployment.json"), "utf8"));
  const behest = await createBehest({
    trust: { owner, manifest },
    signer: signerOf(enforcer),
    store: sqliteStore(join(folder, "store", "log.sqlite")),
    policy: "default",
  });
  const [approval] = await behest.approvals.list();
  await behest.approvals.submit(approval!.id, await signDecision(approval!, { decision: "approve" }, cfo));
  await behest.close();
  const tell = (order: string): void => void child.stdin.write(`${order}\n`);
  return {
    folder,
    pid: child.pid!,
    tell,
    goOn: async () => (tell("go on"), (await said()).answer!),
    paid: () => existsSync(join(folder, "paid")),
  };
}

const database = ({ folder }: Waiter, suffix = ""): string => join(folder, "store", `log.sqlite${suffix}`);

type Way = readonly [way: string, vanish: (waiter: Waiter) => void, code: RegExp];

/** From now on no file of that process may grow beyond a byte: each write fails. */
const FULL: Way = [
  "whose disk is full",
  ({ pid }) => expect(spawnSync("prlimit", [`--pid=${pid}`, "--fsize=1:1"]).status).toBe(0),
  /store_failed/,
];

/** The first to meet it is the action, or whoever looks for revocations meanwhile. */
const GONE = /store_(mismatch|failed)|revocation_stale/;

const WAYS: readonly Way[] = [
  [
    "whose database is removed",
    (waiter) => {
      for (const suffix of ["", "-wal", "-shm", "-head"]) rmSync(database(waiter, suffix), { force: true });
    },
    GONE,
  ],
  [
    "whose folder is moved away",
    (waiter) => renameSync(join(waiter.folder, "store"), join(waiter.folder, "gone")),
    GONE,
  ],
  [
    "whose database is replaced by an empty one",
    (waiter) => {
      rmSync(database(waiter));
      writeFileSync(database(waiter), "", { mode: 0o600 });
    },
    GONE,
  ],
  ...(process.platform === "linux" ? [FULL] : []),
  ["that is closed", (waiter) => waiter.tell("close"), /store_failed|session_ended/],
];

const frameworks = ["langchain", "ai-sdk"] as const;

for (const framework of frameworks)
  test.for(WAYS)(
    `a store %s while an approved action waits: nothing runs (${framework})`,
    async ([, vanish, code]) => {
      const waiter = await approved(framework);
      vanish(waiter);
      expect(await waiter.goOn()).toMatch(code);
      expect(waiter.paid()).toBe(false);
    },
  );

test.for(frameworks)("where the store is still there it runs: %s", async (framework) => {
  const waiter = await approved(framework);
  expect(await waiter.goOn()).toMatch(/done|paid/);
  expect(waiter.paid()).toBe(true);
});

test("a process that starts where only the log's head is left starts nothing", async () => {
  const waiter = await approved("langchain");
  process.kill(waiter.pid, "SIGKILL");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(database(waiter, suffix), { force: true });
  const next = spawnSync(process.execPath, [...FLAGS, WAITER, waiter.folder, "langchain"], {
    encoding: "utf8",
  });
  expect(next.stderr).toContain("store_mismatch");
  expect(waiter.paid()).toBe(false);
});
