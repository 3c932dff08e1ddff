import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Delegation, generateHolder, issueDelegation } from "@behest/delegation";
import { thumbprint } from "@behest/jws";
import { signTrust, verifyLog } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFrom } from "../behest.ts";
import { type CutTarget, type Store, signCut, sqliteStore } from "../index.ts";
import { feedPath } from "../store/sqlite/feed.ts";
import { engine as engineOf } from "../store/types.ts";
import type { Behest, Session } from "../types.ts";
import { START, headAfter } from "./feed.ts";

const ISSUER = "https://issuer.test";
const tools = { pay: { "*": { constraint_type: "wildcard" } } } as const;
const pay = (session: Session): Promise<string> =>
  session
    .perform({ tool: "pay", args: {} }, async () => 1)
    .then(
      ({ outcome }) => outcome,
      (error: { code: string }) => error.code,
    );

let folder: string;
let path: string;
let keys: readonly Awaited<ReturnType<typeof generateHolder>>[];
let manifest: string;
const closing: Behest[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-cut-"));
  path = join(folder, "log.db");
  keys = await Promise.all(Array.from({ length: 5 }, () => generateHolder()));
  const [owner, issuer, enforcer, revoker] = keys;
  manifest = await signTrust(
    {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "t/log",
      issuers: [{ iss: ISSUER, jwk: issuer!.jwk }],
      enforcers: [{ jwk: enforcer!.jwk }],
      approvers: [],
      revokers: [{ scope: "*", jwk: revoker!.jwk }],
      witnesses: [],
    },
    owner!,
  );
});
afterEach(async () => {
  for (const behest of closing.splice(0)) await behest.close();
  rmSync(folder, { recursive: true });
});

async function open(): Promise<{ behest: Behest; store: Store }> {
  const [owner, , enforcer, , holder] = keys;
  const store = sqliteStore(path);
  const trust = { owner: thumbprint(owner!.jwk), manifest };
  const profiles = { pay: { effect: "irreversible", boundary: "outside" } } as const;
  const given = { signer: enforcer!, store, holder: holder!, profiles, policy: "grants-alone" };
  const behest = await createFrom({ trust, ...given });
  closing.push(behest);
  return { behest, store };
}

function issue(principal = "alice"): Promise<Delegation> {
  const [, issuer, , , holder] = keys;
  const claims = {
    issuer: ISSUER,
    holder: holder!.jwk,
    principal,
    task: "t",
    tools,
    expiresIn: "1h",
  } as const;
  return issueDelegation({ ...claims, maxDepth: 3 }, issuer!);
}

const cut = (target: CutTarget, at?: number): ReturnType<typeof signCut> =>
  signCut(target, { reason: "r", ...(at !== undefined && { at }) }, keys[3]!);

const opened = (behest: Behest, delegation: Delegation): Promise<string> =>
  behest.open(delegation).then(pay, (error: { code: string }) => error.code);

async function failed(store: Store): Promise<string[]> {
  const engine = store[engineOf];
  const evidence = { entries: await engine.entries(0, 1000), checkpoint: await engine.checkpoint() };
  const { findings } = await verifyLog({ ...evidence, owner: thumbprint(keys[0]!.jwk) });
  return findings.flatMap(({ state, code }) => (state === "failed" ? [code] : []));
}

function meddle(sql: string, ...values: (string | number)[]): void {
  const db = new DatabaseSync(feedPath(path));
  db.prepare(sql).run(...values);
  db.close();
}

const jtiOf = ({ chain }: Delegation): string =>
  (JSON.parse(Buffer.from(chain.at(-1)!.split(".")[1]!, "base64url").toString()) as { jti: string }).jti;

test("a cut that was emptied under a made-up date is missed by the next process", async () => {
  const { behest } = await open();
  const delegation = await issue();
  await behest.open(delegation);
  await behest.revoke(await cut({ principal: "alice" }));
  await closing.pop()!.close();
  const db = new DatabaseSync(feedPath(path));
  const { digest } = db.prepare("SELECT digest FROM cut").get() as { digest: string };
  db.close();
  const { hash } = headAfter(START, { digest, until: 1 });
  meddle("UPDATE cut SET jws = NULL, until = 1, hash = ?", hash);
  await expect(open()).rejects.toMatchObject({ code: "store_mismatch" });
});

test("a cut whose end was moved is no cut of this feed", async () => {
  const { behest } = await open();
  await behest.revoke(await cut({ principal: "alice" }));
  await closing.pop()!.close();
  const db = new DatabaseSync(feedPath(path));
  const { digest } = db.prepare("SELECT digest FROM cut").get() as { digest: string };
  db.close();
  meddle("UPDATE cut SET until = ?, hash = ?", 9e9, headAfter(START, { digest, until: 9e9 }).hash);
  await expect(open()).rejects.toMatchObject({ code: "store_mismatch" });
});

test("a process whose feed was replaced starts nothing, whatever the others know", async () => {
  const { behest, store } = await open();
  const delegation = await issue();
  const session = await behest.open(delegation);
  expect(await pay(session)).toBe("done");
  for (const end of ["", "-wal", "-shm"]) rmSync(`${feedPath(path)}${end}`, { force: true });
  const other = await open();
  await other.behest.revoke(await cut({ principal: "alice" }));
  expect(["revocation_stale", "store_mismatch"]).toContain(await pay(session));
  expect(await failed(store)).toEqual([]);
});

test("what is dated so far back that it concerns nothing is refused, and is not taken for done", async () => {
  const { behest } = await open();
  const delegation = await issue();
  const now = Math.floor(Date.now() / 1000);
  const refused = { code: "revocation_refused" };
  for (const target of [{ delegation: jtiOf(delegation) }, { principal: "alice" }])
    await expect(behest.revoke(await cut(target, now - 100 * 86_400))).rejects.toMatchObject(refused);
  expect(await opened(behest, delegation)).toBe("done");
});

test("of one issuer's jti another issuer's token is not concerned, in the log neither", async () => {
  const { behest, store } = await open();
  const delegation = await issue();
  await behest.revoke(await cut({ delegation: jtiOf(delegation), issuer: "https://other.test" }));
  expect(await opened(behest, delegation)).toBe("done");
  expect(await failed(store)).toEqual([]);
});

test("a derived delegation is cut by its jti, with the issuer of its root or without", async () => {
  const { behest } = await open();
  const session = await behest.open(await issue(), { run: "r" });
  for (const issuer of [undefined, ISSUER]) {
    const child = await session.delegate({ tools });
    const { findings } = await child.authorize({ tool: "pay", args: {} });
    const delegation = findings.find(({ check }) => check === "lineage")!.rule!;
    await behest.revoke(await cut({ delegation, ...(issuer !== undefined && { issuer }) }));
    expect(await pay(child)).toBe("revoked");
    expect(await pay(session)).toBe("done");
  }
});

test("an agent is cut by the name that its process gave it, with all below", async () => {
  const { behest } = await open();
  const session = await behest.open(await issue(), { agent: "mailer" });
  const child = await session.delegate({ agent: "reader", tools });
  const beside = await behest.open(await issue("bob"), { agent: "other" });
  await behest.revoke(await cut({ agent: "mailer" }));
  expect([await pay(session), await pay(child), await pay(beside)]).toEqual(["revoked", "revoked", "done"]);
  await expect(behest.open(await issue(), { agent: "mailer" })).rejects.toMatchObject({ code: "revoked" });
});

test("a revoker whose clock is slow is told that fresh grants go on", async () => {
  const warned: string[] = [];
  const onWarning = ({ message }: Error): void => void warned.push(message);
  process.on("warning", onWarning);
  const { behest } = await open();
  await behest.revoke(await cut({ principal: "alice" }, Math.floor(Date.now() / 1000) - 90));
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  expect(
    warned.filter((text) => /^a cut concerns nothing that was delegated in the last \d+ seconds$/.test(text)),
  ).toHaveLength(1);
});
