// Deployments that look their issuers' status lists up, on a real HTTPS server.
import type { ServerResponse } from "node:http";
import { type Delegation, deriveDelegation, generateHolder } from "@behest/delegation";
import { type StatusListClaims, statusList } from "@behest/delegation/status";
import { signCut } from "@behest/provenance";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { localServer } from "../../../delegation/test/https.ts";
import { restrictedBehest } from "../../test/restricted.ts";
import { until } from "../../test/until.ts";
import { openTurn } from "../adapter.ts";
import type { BehestConfig } from "../behest.ts";
import type { Session } from "../types.ts";
import { MemoryFeed } from "./memory.ts";

const tools = { look: {}, note: {}, pay: {} };
const profiles = {
  look: { effect: "read", boundary: "inside" },
  note: { effect: "reversible", boundary: "inside" },
} as const;

let answer: (response: ServerResponse) => unknown;
const server = await localServer((_, response) => void answer(response));
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => vi.useRealTimers());
const uri = `${server.origin}/status`;

async function deployment(config: Partial<BehestConfig> = { status: fetch }) {
  const behest = await restrictedBehest(tools, { profiles, clock: () => Date.now(), ...config });
  const list = (revoked: StatusListClaims["revoked"], by = behest.issuer.signer): void => {
    answer = async (response) =>
      response.end(await statusList({ uri, size: 16, revoked, now: Math.floor(Date.now() / 1000) }, by));
  };
  list([]);
  return { behest, list, issue: () => behest.issue({ status: { uri, idx: 3 } }) };
}
const call = (session: Session, tool = "pay"): Promise<unknown> =>
  session.perform({ tool, args: {} }, async () => "done");
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "opened",
    (error: { code: string }) => error.code,
  );
const down = (response: ServerResponse): unknown => response.writeHead(503).end();
/** Moves the clock of what is kept beyond a list's ttl. */
const later = (): void => void vi.useFakeTimers({ now: Date.now() + 31_000, toFake: ["Date"] });

test("what a list marks is not opened, nor is what cannot be told, nor what was derived from it", async () => {
  const { behest, list, issue } = await deployment();
  const other = await generateHolder();
  const root = await issue();
  const derived = await deriveDelegation(root, { holder: behest.holder.jwk, tools }, behest.holder);
  const verdicts = async (): Promise<string[]> => {
    later();
    const found = await Promise.all([root, derived].map((one: Delegation) => code(behest.open(one))));
    vi.useRealTimers();
    return found;
  };
  expect(await verdicts()).toEqual(["opened", "opened"]);
  await behest.close();
  for (const [set, verdict] of [
    [(l: typeof list) => l([3]), "revoked"],
    [(l: typeof list) => l([2]), "opened"],
    [(l: typeof list) => l([], other), "revocation_stale"],
    [() => (answer = down), "revocation_stale"],
  ] as const) {
    const again = await deployment();
    set(again.list);
    expect([verdict, await code(again.behest.open(await again.issue()))]).toEqual([verdict, verdict]);
    await again.behest.close();
  }
});

test("within its ttl a list is not asked for again; beyond it nothing starts before it was", async () => {
  const { behest, list, issue } = await deployment();
  const session = await behest.open(await issue());
  const child = await session.delegate({ tools });
  const asked = server.asked.length;
  answer = down;
  for (const tool of ["look", "note", "pay"]) await call(session, tool);
  await call(child);
  expect(server.asked.length).toBe(asked);
  later();
  for (const tool of ["look", "note", "pay"])
    await expect(call(session, tool)).rejects.toMatchObject({ code: "revocation_stale" });
  await expect(call(child)).rejects.toMatchObject({ code: "revocation_stale" });
  expect(session.signal.aborted).toBe(false);
  // What could not be told is told again.
  list([]);
  vi.setSystemTime(Date.now() + 2_000);
  await expect(call(session)).resolves.toMatchObject({ outcome: "done" });
  await expect(call(child)).resolves.toMatchObject({ outcome: "done" });
  await behest.close();
});

test("what is marked while it runs ends the session and what it started, and no other", async () => {
  const { behest, list, issue } = await deployment();
  const session = await behest.open(await issue());
  const child = await session.delegate({ tools });
  const beside = await behest.opened({ status: { uri, idx: 4 } });
  const without = await behest.opened({});
  list([3]);
  later();
  await expect(call(session, "look")).rejects.toMatchObject({ name: "BehestDenied", code: "revoked" });
  expect(session.signal.reason).toMatchObject({ code: "revoked" });
  for (const stopped of [session, child]) {
    await expect(call(stopped)).rejects.toMatchObject({ code: "revoked" });
    await expect(stopped.delegate({ tools })).rejects.toMatchObject({ code: "revoked" });
  }
  for (const untouched of [beside, without])
    await expect(call(untouched)).resolves.toMatchObject({ outcome: "done" });
  const records = await behest.records.list();
  expect(records.filter((record) => record.code === "revoked")).toHaveLength(3);
  await behest.close();
});

test("what is marked while a tool runs stops the tool, not one beside it; what cannot be told stops none", async () => {
  const { behest, list, issue } = await deployment();
  const [session, beside] = [
    await behest.open(await issue()),
    await behest.opened({ status: { uri, idx: 4 } }),
  ];
  const running = async (one: Session) => {
    const begun = Promise.withResolvers<void>();
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    const outcome = one.perform({ tool: "look", args: {} }, (_, { signal }) => {
      signal.addEventListener("abort", () => end("aborted"));
      begun.resolve();
      return ended.then((how) => (signal.aborted ? Promise.reject(signal.reason as Error) : how));
    });
    await begun.promise;
    return { outcome, end };
  };
  const [one, two] = [await running(session), await running(beside)];
  const asked = server.asked.length;
  answer = down;
  later();
  await until(() => expect(server.asked.length).toBeGreaterThan(asked));
  expect([session.signal.aborted, beside.signal.aborted]).toEqual([false, false]);
  list([3]);
  vi.setSystemTime(Date.now() + 2_000);
  await expect(one.outcome).resolves.toMatchObject({ outcome: "aborted", error: { code: "revoked" } });
  two.end("done");
  await expect(two.outcome).resolves.toMatchObject({ outcome: "done" });
  const looked = server.asked.length;
  vi.setSystemTime(Date.now() + 31_000);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(server.asked.length).toBe(looked);
  await behest.close();
});

test("a list that takes long does not make the latest read of the feed look younger than it is", async () => {
  const feed = new MemoryFeed();
  const { behest, list, issue } = await deployment({ status: fetch, feed });
  const session = await behest.open(await issue());
  let taken = 0;
  const slow = (): void => {
    const then = answer;
    answer = (response) => {
      vi.setSystemTime(Date.now() + 4_000);
      taken++;
      return then(response);
    };
  };
  list([]);
  slow();
  // Nobody else reads the feed meanwhile.
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  later();
  await expect(call(session, "pay")).rejects.toMatchObject({ code: "revocation_stale" });
  expect(taken).toBe(1);
  await expect(call(session, "pay")).resolves.toMatchObject({ outcome: "done" });
  warned.mockRestore();
  await behest.close();
});

test("a session that is cut while it is opened is told, as any other", async () => {
  const { behest, issue } = await deployment();
  const then = answer;
  answer = async (response) => {
    await behest.revoke(await signCut({ principal: "alice" }, { reason: "test" }, behest.revoker));
    return then(response);
  };
  const session = await behest.open(await issue());
  expect(session.signal.reason).toMatchObject({ code: "revoked" });
  await expect(call(session)).rejects.toMatchObject({ code: "revoked" });
  await behest.close();
});

test("a model is not asked once its session's status is revoked or cannot be told", async () => {
  const { behest, list, issue } = await deployment();
  const session = await behest.open(await issue(), { run: "r" });
  const turn = (text: string) => openTurn(session, { messages: [text], json: (value) => value as string });
  await (
    await turn("a")
  ).record({
    model: "m",
    provider: "p",
    system: "",
    tools: [],
    response: "hi",
    calls: [],
  });
  answer = down;
  later();
  await expect(turn("b")).rejects.toMatchObject({ code: "revocation_stale" });
  list([3]);
  vi.setSystemTime(Date.now() + 2_000);
  await expect(turn("b")).rejects.toMatchObject({ code: "revoked" });
  await behest.close();
});

test("a list is looked at only once everything else of a delegation holds", async () => {
  const { behest, issue } = await deployment();
  const asked = server.asked.length;
  const root = await issue();
  const stranger = await generateHolder();
  expect(await code(behest.open(root, { holder: stranger }))).toBe("holder_mismatch");
  const foreign = await restrictedBehest(tools);
  expect(await code(behest.open(await foreign.issue({ status: { uri, idx: 3 } })))).toBe(
    "delegation_invalid",
  );
  expect(server.asked.length).toBe(asked);
  await Promise.all([behest.close(), foreign.close()]);
});
