import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { type Limits, issueDelegation } from "@behest/delegation";
import { generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, signTrust } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Spending } from "../../test/spender.ts";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "behest-spenders-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** What processes need to spend from one delegation, in one store. */
async function limited(limits: Limits): Promise<Omit<Spending, "calls">> {
  const [owner, issuer, enforcer, holder] = [
    await generatePrivateJwk(),
    await generatePrivateJwk(),
    await generatePrivateJwk(),
    await generatePrivateJwk(),
  ];
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    issuers: [{ iss: "urn:t", jwk: signerOf(issuer).jwk }],
    enforcers: [{ jwk: signerOf(enforcer).jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const claims = { principal: "p", task: "t", tools: { pay: {} }, expiresIn: "1h", limits } as const;
  return {
    path: join(folder, "log.db"),
    trust: { owner: thumbprint(owner), manifest: await signTrust(manifest, signerOf(owner)) },
    enforcer,
    holder,
    delegation: await issueDelegation(
      { ...claims, issuer: "urn:t", holder: signerOf(holder).jwk },
      signerOf(issuer),
    ),
  };
}

interface Spent {
  /** Bodies that started. */
  readonly ran: number;
  /** What came of each call, where the process has told. */
  readonly answers: readonly string[];
}

/** Runs a process; `until`: kills it once so many bodies have started. */
async function spend(spending: Spending, until?: number): Promise<Spent> {
  const file = resolve(import.meta.dirname, "../../test/spender.ts");
  const args = ["--conditions=@behest/source", file, JSON.stringify(spending)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const ended = once(child, "exit");
  let ran = 0;
  let answers: readonly string[] = [];
  for await (const line of createInterface(child.stdout)) {
    if (line !== "ran") answers = JSON.parse(line) as string[];
    else if (++ran === until) child.kill("SIGKILL");
  }
  await ended;
  return { ran, answers };
}

const names = (prefix: string, length: number): string[] =>
  Array.from({ length }, (_, i) => `${prefix} ${i}`);

test("64 calls of two processes at once: as many run as there is room for", async () => {
  const common = await limited({ amount: { EUR: "15" } });
  const both = await Promise.all([
    spend({ ...common, calls: names("here", 32) }),
    spend({ ...common, calls: names("there", 32) }),
  ]);
  const answers = both.flatMap((spent) => spent.answers);
  expect(both[0].ran + both[1].ran).toBe(30);
  expect(answers.filter((answer) => answer === "done")).toHaveLength(30);
  expect(answers.filter((answer) => answer === "budget_spent")).toHaveLength(34);
});

test("a process that is killed in the body gives nothing back, and who makes its calls again is charged nothing new", async () => {
  const common = await limited({ calls: 12, amount: { EUR: "5" } });
  const calls = names("call", 7);
  const killed = await spend({ ...common, calls, hangs: true }, 7);
  expect(killed).toEqual({ ran: 7, answers: [] });
  const again = await spend({ ...common, calls: [...calls, ...names("more", 5)] });
  // Of 10 that there is room for 7 are taken, though nobody knows how they ended.
  expect(again.answers.filter((answer) => answer === "outcome_unknown")).toHaveLength(7);
  expect(again.answers.filter((answer) => answer === "done")).toHaveLength(3);
  expect(again.answers.filter((answer) => answer === "budget_spent")).toHaveLength(2);
  expect(again.ran).toBe(3);
});
