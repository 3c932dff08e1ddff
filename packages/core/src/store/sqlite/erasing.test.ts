import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { randomBytes } from "@behest/jws";
import { afterEach, beforeEach, expect, test } from "vitest";
import { erasing, erasureDraft } from "../../../test/store/erasure.ts";
import { type OpenLog, objections, openLog, placedOf } from "../../../test/store/open-log.ts";
import { RemoteStore } from "../../../test/store/remote.ts";
import { type Principal, engine as engineOf } from "../types.ts";
import { sqliteStore } from "./store.ts";

let folder: string;
let path: string;
let log: OpenLog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-erasing-"));
  path = join(folder, "log.db");
  log = await openLog(sqliteStore(path));
});

afterEach(async () => {
  await log.store.close();
  rmSync(folder, { recursive: true });
});

/** Which of these stand in any file of the store, at any place. */
function found(secrets: { readonly [what: string]: string | Uint8Array }): string[] {
  const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))] as const);
  return Object.entries(secrets).flatMap(([what, bytes]) =>
    files.flatMap(([name, file]) =>
      file.includes(Buffer.from(bytes as string)) ? [`${what} in ${name}`] : [],
    ),
  );
}

/** Somebody whose traces can be looked for. */
function someone(pseudonym: string): Principal & { readonly key: Uint8Array } {
  const mark = Buffer.from(randomBytes(6)).toString("hex");
  return { issuer: "iss", subject: `${mark}@example.com`, pseudonym, key: randomBytes(32) };
}

/** Everything that a store keeps of somebody, sealed as these bytes. */
async function live(
  { engine, deployment, delegation }: OpenLog,
  who: string,
  sealed: Uint8Array,
): Promise<void> {
  const content = [0, 1].map((n) => ({ id: `${who}-${n}`, principal: who, sealed }));
  const until = Date.now() + 60_000;
  const of = deployment.begin(`a-${who}`, delegation);
  const begin = { ...of, record: { ...of.record!, principal: who, agent: sealed }, content };
  const begun = placedOf(await engine.begin(begin));
  await engine.finish(deployment.finish(begin, begun, { content }));
  const { entry } = deployment.interaction(delegation, `t-${who}`);
  await engine.append({ entry, journal: { run: who, key: who, sealed, principal: who, until } });
  await engine.append({
    entry,
    approval: { id: who, kind: "ask", args: "x", principal: who, run: who, sealed, expires: until },
  });
  await engine.append({ entry, delegation: { leaf: `l-${who}`, jti: `j-${who}`, principal: who, sealed } });
  const spawn = { action: `s-${who}`, args: "x", attempt: 1, repeatable: true, expires: until };
  await engine.begin(spawn);
  await engine.finish({ ...spawn, outcome: "done", code: "ok", content });
}

const of = (who: string) =>
  erasing({
    principals: [who],
    entry: erasureDraft({ principals: [who] }),
    early: erasureDraft({ principals: [who], early: true }),
  });

test("nothing of an erased principal is left in any file of the store", async () => {
  const { engine } = log;
  const [alice, bob] = [someone("alice"), someone("bob")];
  // Longer than a page: most of it lies in pages of its own.
  const sealed = { alice: randomBytes(9000), bob: randomBytes(9000) };
  for (const who of [alice, bob]) {
    await engine.register(who);
    await live(log, who.pseudonym, sealed[who.pseudonym as "alice"]);
  }
  const end = sealed.alice.slice(-64);
  const secrets = { key: alice.key, subject: alice.subject, start: sealed.alice.slice(0, 64), end };
  expect(new Set(found(secrets).map((where) => where.split(" ")[0]))).toEqual(new Set(Object.keys(secrets)));
  expect(await engine.erase(of("alice"))).toMatchObject({ erased: "done", swept: true });
  expect(found(secrets)).toEqual([]);
  expect(found({ key: bob.key, subject: bob.subject, sealed: sealed.bob.slice(0, 64) })).not.toEqual([]);
  expect(await objections(engine, log.deployment)).toEqual([]);
  await log.store.close();
  expect(found(secrets)).toEqual([]);
});

test("also where rows have moved between pages many times", async () => {
  const { engine } = log;
  const people = Array.from({ length: 2000 }, (_, n) => someone(`p-${n}`));
  await Promise.all(people.map((who) => engine.register(who)));
  const gone = people.filter((_, n) => n % 100 === 7);
  for (const { pseudonym } of gone)
    expect(await engine.erase(of(pseudonym))).toMatchObject({ erased: "done", swept: true });
  for (const { key, subject } of gone) expect(found({ key, subject })).toEqual([]);
  for (const who of people)
    expect(await engine.subject(who.pseudonym)).toEqual(
      gone.includes(who) ? undefined : { issuer: "iss", subject: who.subject, key: who.key },
    );
});

test("a journal that somebody reads is emptied when they have read it, and it is said so", async () => {
  const { engine } = log;
  const alice = someone("alice");
  await engine.register(alice);
  const reader = new DatabaseSync(path, { readOnly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT * FROM principal").all();
  await log.store.close();
  // However long others may be waited for, this is not.
  const other = sqliteStore(path, { wait: 3_600_000, lease: 250 });
  await other[engineOf].attach(await log.deployment.identity());
  expect(await other[engineOf].erase(of("alice"))).toMatchObject({ erased: "done", swept: false });
  const { key, subject } = alice;
  expect(found({ key, subject })).not.toEqual([]);
  reader.close();
  await expect.poll(() => found({ key, subject })).toEqual([]);
  await other.close();
});

test("whoever starts next empties the journal that a killed process has left", async () => {
  const alice = someone("alice");
  await log.engine.register(alice);
  await log.store.close();
  const remote = new RemoteStore(path, { wait: 50 });
  await remote.call("attach", await log.deployment.identity());
  // As if it had been killed before it could: somebody reads, and then it is gone.
  const reader = new DatabaseSync(path, { readOnly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT * FROM principal").all();
  expect(await remote.call("erase", of("alice"))).toMatchObject({ erased: "done", swept: false });
  remote.process.kill("SIGKILL");
  await remote.ended;
  reader.exec("COMMIT");
  const { key, subject } = alice;
  expect(found({ key, subject })).not.toEqual([]);
  const next = sqliteStore(path);
  await next[engineOf].attach(await log.deployment.identity());
  await expect.poll(() => found({ key, subject })).toEqual([]);
  await next.close();
  reader.close();
});

test("other processes write nothing more in that name, and read nothing", async () => {
  const { engine, deployment, delegation } = log;
  await engine.register(someone("alice"));
  const remote = new RemoteStore(path);
  await remote.call("attach", await deployment.identity());
  const begin = (action: string) => {
    const made = deployment.begin(action, delegation);
    return { ...made, record: { ...made.record!, principal: "alice" } };
  };
  const running = placedOf(await remote.call("begin", begin("a")));
  await engine.erase(of("alice"));
  await expect(remote.call("begin", begin("b"))).rejects.toMatchObject({ code: "principal_erased" });
  expect(await remote.call("subject", "alice")).toBeUndefined();
  const content = [{ id: "r", principal: "alice", sealed: new Uint8Array([1]) }];
  const ended = await remote.call("finish", deployment.finish(begin("a"), running, { content }));
  expect(await engine.content(placedOf(ended).index)).toEqual([]);
  expect(await remote.call("begin", deployment.begin("c", delegation))).toMatchObject({ begun: "started" });
  expect(await objections(engine, deployment)).toEqual([]);
  remote.process.disconnect();
  await remote.ended;
});

test("a cut is emptied when it is over, also where no other one comes", async () => {
  const { feed } = log.engine;
  const jws = "signed.by.somebody-about-alice";
  await feed.append({ jws, until: Math.floor(Date.now() / 1000) + 1 });
  expect(found({ cut: jws })).not.toEqual([]);
  await feed.sweep!();
  await expect.poll(async () => (await feed.sweep!(), found({ cut: jws }))).toEqual([]);
  expect((await feed.read(0)).rows).toMatchObject([{ seq: 1, until: expect.any(Number) as number }]);
});
