import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Ask, createBehest, signDecision, sqliteStore } from "@behest/core";
import { holderOf, is } from "@behest/delegation";
import { signerOf } from "@behest/jws";
import { expect, test } from "vitest";
import { deployment } from "../test/deployment.ts";

const program = resolve(import.meta.dirname, "../test/waits.ts");
const any = { "*": is.any.constraint };

/** A folder for processes that share a log and a LangGraph database; what they did; and a person. */
async function processes() {
  const folder = mkdtempSync(join(tmpdir(), "behest-waits-"));
  const cfo = await deployment(folder, { pay: any, look: any }, { approvals: { pay: { finance: 1 } } });
  const run = (step: "start" | "killed" | "resume") => {
    const { signal, stdout, stderr } = spawnSync(
      process.execPath,
      ["--conditions=@behest/source", program, folder, step],
      { encoding: "utf8" },
    );
    if (step === "killed") expect(signal).toBe("SIGKILL");
    else expect({ signal, stderr }).toEqual({ signal: null, stderr: "" });
    return (stdout === "" ? { answer: "", asks: [] } : JSON.parse(stdout)) as { answer: string; asks: Ask[] };
  };
  const decide = async (decisions: { [amount: number]: "approve" | "deny" }) => {
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
    for (const approval of await behest.approvals.list({ group: "finance" })) {
      const decision = decisions[(approval.args as { amount: number }).amount];
      if (decision)
        await behest.approvals.submit(approval.id, await signDecision(approval, { decision }, cfo));
    }
  };
  const notes = () => readFileSync(join(folder, "notes"), "utf8").trim().split("\n");
  return { run, decide, notes, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

test("a sub-agent's calls wait across processes: resumed too early nothing happens, then one is made and one is not", async () => {
  using shared = await processes();
  const { run, decide, notes } = shared;
  expect(run("start").asks).toHaveLength(1);
  expect(run("resume").asks).toHaveLength(1);
  await decide({ 1: "approve" });
  expect(run("resume").asks).toHaveLength(1);
  await decide({ 2: "deny" });
  expect(run("resume")).toMatchObject({
    asks: [],
    answer: expect.stringMatching(
      /^success: success: seen, success: paid 1, error: BehestDenied: pay: a person has denied it/,
    ),
  });
  expect(notes()).toEqual(["root asked", "child asked", "looked", "paid 1", "child asked", "root asked"]);
});

test("killed while it waits, before LangGraph has written anything: it asks for the same, and pays once", async () => {
  using shared = await processes();
  const { run, decide, notes } = shared;
  run("killed");
  await decide({ 1: "approve" });
  const { asks } = run("start");
  expect(asks).toHaveLength(1);
  await decide({ 2: "approve" });
  expect(run("resume").answer).toBe("success: success: seen, success: paid 1, success: paid 2");
  expect(notes().toSorted()).toEqual([
    "child asked",
    "child asked",
    "looked",
    "paid 1",
    "paid 2",
    "root asked",
    "root asked",
  ]);
});
