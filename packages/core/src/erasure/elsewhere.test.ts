import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Behest, type Session, sqliteStore } from "@behest/core";
import { openTurn } from "@behest/core/adapter";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SharedDeployment } from "../../test/revocation/deployment.ts";

let folder: string;
let deployment: SharedDeployment;
let here: Behest;
let there: Behest;

/** Two Behests on one log, each with keys of its own in memory. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-elsewhere-"));
  deployment = await SharedDeployment.make();
  [here, there] = [await deployment.start(open()), await deployment.start(open())];
});

afterEach(async () => {
  await Promise.all([here.close(), there.close()]);
  rmSync(folder, { recursive: true });
});

const open = () => sqliteStore(join(folder, "log.db"));
const asked = { principal: "carol", reason: "asked by letter", despiteRetention: true };

async function turn(session: Session, asks: () => void = () => {}): Promise<void> {
  const opened = await openTurn(session, { messages: ["m"], json: () => null });
  asks();
  await opened.record({ model: "m", provider: "p", tools: [], response: "r", calls: [] });
}

test.for<[string, (session: Session) => Promise<unknown>]>([
  ["a permitted action", (session) => session.perform({ tool: "look", args: {} }, async () => "ran")],
  ["a denied action", (session) => session.perform({ tool: "nothing", args: {} }, async () => "ran")],
  ["a delegation", (session) => session.delegate({ tools: { look: {} } })],
  ["a model's turn", (session) => turn(session)],
])("%s elsewhere is refused by the store, leaves nothing, and ends its session", async ([, act]) => {
  const session = await deployment.open(there, "carol");
  await here.erase(asked);
  const { size } = await deployment.verify(open());
  expect(session.signal.aborted).toBe(false);
  await act(session).catch(() => {});
  await there.records.list();
  expect(session.signal.reason).toMatchObject({ code: "principal_erased" });
  await expect(act(session)).rejects.toMatchObject({ code: "principal_erased" });
  expect(await deployment.verify(open())).toMatchObject({ ok: true, size });
  for (const name of readdirSync(folder))
    expect(readFileSync(join(folder, name), "latin1")).not.toContain("carol");
});

test("sessions of others go on, and of one who comes back", async () => {
  const [dave, carol] = [await deployment.open(there, "dave"), await deployment.open(there, "carol")];
  await here.erase(asked);
  const look = (session: Session) => session.perform({ tool: "look", args: {} }, async () => "ran");
  await expect(look(carol)).rejects.toMatchObject({ code: "principal_erased" });
  expect(await look(dave)).toMatchObject({ outcome: "done" });
  expect(await look(await deployment.open(there, "carol"))).toMatchObject({ outcome: "done" });
  expect(await deployment.verify(open())).toMatchObject({ ok: true, counts: { erasure: 1, action: 2 } });
});

test("erased twice at once it is erased once", async () => {
  await deployment.open(there, "carol");
  const both = await Promise.allSettled([here.erase(asked), there.erase(asked)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(await deployment.verify(open())).toMatchObject({ ok: true, counts: { erasure: 1 } });
});

test("while many act and somebody erases, the log verifies and nothing is left", async () => {
  const sessions = await Promise.all(Array.from({ length: 8 }, () => deployment.open(there, "carol")));
  const enough = Promise.withResolvers<void>();
  let acted = 0;
  const acting = sessions.map(async (session) => {
    for (let n = 0; ; n++) {
      await session.perform({ tool: "look", args: { n: `carol ${n}` } }, async () => `for carol ${n}`);
      if (++acted === 50) enough.resolve();
    }
  });
  const ended = Promise.allSettled(acting);
  await enough.promise;
  await here.erase(asked);
  expect((await ended).every(({ status }) => status === "rejected")).toBe(true);
  await Promise.all([here.close(), there.close()]);
  const report = await deployment.verify(open());
  expect(report).toMatchObject({ ok: true, counts: { erasure: 1 } });
  expect(report.findings.filter(({ code }) => code === "outcome_not_shown")).toEqual([]);
  for (const name of readdirSync(folder))
    expect(readFileSync(join(folder, name), "latin1")).not.toContain("carol");
});
