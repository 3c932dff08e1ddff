import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest } from "@behest/provenance";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TestDeployment } from "../../../test/store/deployment.ts";
import { testDeployment } from "../../../test/store/deployment.ts";
import { type OpenLog, objections, placedOf } from "../../../test/store/open-log.ts";
import { RemoteStore } from "../../../test/store/remote.ts";
import type { Deployment } from "../../deployment.ts";
import { batches, requestOf } from "../../prune/batch.ts";
import { prune } from "../../prune/prune.ts";
import { survey } from "../../prune/survey.ts";
import {
  type Append,
  type Begin,
  type Engine,
  type Finish,
  type Store,
  engine as engineOf,
} from "../types.ts";
import { attachTo } from "./attach.ts";
import { openForWriting } from "./file.ts";
import { sqliteStore } from "./store.ts";
import type { Answer, Write } from "./write.ts";

const DAY = 86_400_000;
const RETENTION = 5;

let folder: string;
let path: string;
const open: Store[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "behest-pruning-"));
  path = join(folder, "log.db");
});

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true });
});

/** A log whose entries up to now are 20 days old, and are signed by a key of that time. */
async function old(fill: (log: Filled) => Promise<unknown>): Promise<OpenLog> {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: now - 20 * DAY });
  const deployment = await testDeployment({ retention: RETENTION });
  const by = { identity: await deployment.identity(), lease: 10_000, clock: () => Date.now() };
  const writer = await attachTo(openForWriting(path, 1_000), path, by);
  const waiting: { readonly write: Write; readonly resolve: (answer: Answer) => void }[] = [];
  /** What is asked for in one turn is one transaction. */
  const done = async (write: Write): Promise<never> => {
    const answer = await new Promise<Answer>((resolve) => {
      if (waiting.push({ write, resolve }) > 1) return;
      setImmediate(() => {
        const group = waiting.splice(0);
        const answers = writer.write(group.map((one) => one.write));
        for (const [i, one] of group.entries()) one.resolve(answers[i]!);
      });
    });
    if ("error" in answer) throw answer.error;
    return answer.value as never;
  };
  const engine = {
    append: (request: Append) => done({ op: "append", request }),
    begin: (request: Begin) => done({ op: "begin", request }),
    finish: (request: Finish) => done({ op: "finish", request }),
  } as unknown as Engine;
  const delegation = await engine.append(deployment.root());
  await fill({ engine, deployment, delegation });
  writer.close();
  vi.useRealTimers();
  const store = kept(sqliteStore(path));
  await store[engineOf].attach(await deployment.identity());
  return { store, engine: store[engineOf], deployment, delegation };
}

type Filled = Pick<OpenLog, "engine" | "deployment" | "delegation">;

function kept(store: Store): Store {
  open.push(store);
  return store;
}

async function attached(deployment: TestDeployment): Promise<Engine> {
  const engine = kept(sqliteStore(path))[engineOf];
  await engine.attach(await deployment.identity());
  return engine;
}

async function act(
  { engine, deployment, delegation, leaf }: Filled & { readonly leaf?: string },
  action: string,
  mark = action,
): Promise<void> {
  const content = [{ id: `c-${mark}`, principal: "p1", sealed: Buffer.from(mark) }];
  const made = deployment.begin(action, delegation, { content });
  const begin = leaf === undefined ? made : { ...made, record: { ...made.record!, delegation: leaf } };
  await engine.finish(deployment.finish(begin, placedOf(await engine.begin(begin))));
}

const acts = (log: Filled & { readonly leaf?: string }, from: number, to: number) =>
  Promise.all(Array.from({ length: to - from }, (_, i) => act(log, `action-${from + i}`)));

function pruneAll(engine: Engine): ReturnType<typeof prune> {
  const manifest = { retention: RETENTION } as Manifest;
  const deployment = { engine, manifest, clock: () => Date.now() } as Deployment;
  return prune(deployment, { before: Date.now() - 10 * DAY });
}

async function gone(engine: Engine): Promise<number> {
  return (await engine.entries(0, 100_000)).filter((jws) => jws === "").length;
}

test("nothing of what was pruned is left in any file of the store", async () => {
  const log = await old((made) => act(made, "an action", "mark-in-content"));
  const texts = (await log.engine.entries(1, 3)).map((jws) => jws.slice(-60));
  const files = () =>
    readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "latin1"))
      .join("\n");
  for (const text of [...texts, "mark-in-content"]) expect(files()).toContain(text);
  expect(await pruneAll(log.engine)).toMatchObject({
    counts: { action: 1, outcome: 1, delegation: 1 },
    remains: [],
  });
  for (const text of [...texts, "mark-in-content"]) expect(files()).not.toContain(text);
  expect(await objections(log.engine, log.deployment)).toEqual([]);
});

test("two prune at once while others act: each entry goes once, and the log verifies", async () => {
  const log = await old((made) => acts(made, 0, 1500));
  const other = await attached(log.deployment);
  const fresh = await log.engine.append({ ...log.deployment.root(), ...anotherRoot(log.deployment) });
  const acting = acts({ ...log, delegation: fresh, leaf: "another" }, 1500, 1800);
  const done = await Promise.all([pruneAll(log.engine), pruneAll(other)]);
  await acting;
  const total = (type: "action" | "outcome" | "delegation") =>
    done.reduce((sum, { counts }) => sum + counts[type], 0);
  expect([total("action"), total("outcome"), total("delegation")]).toEqual([1500, 1500, 1]);
  expect(await gone(log.engine)).toBe(3001);
  expect(await objections(other, log.deployment)).toEqual([]);
  expect((await log.engine.records({})).length).toBe(300);
});

/** Now, and of another token: what is pruned is not stored again. */
function anotherRoot(deployment: TestDeployment): ReturnType<TestDeployment["root"]> {
  const root = deployment.root();
  return { ...root, delegation: { ...root.delegation!, leaf: "another", jti: "another" } };
}

test("a process that dies while it prunes leaves a log that verifies, and the next one goes on", async () => {
  const log = await old((made) => acts(made, 0, 700));
  const { deployment } = log;
  await Promise.all(open.splice(0).map((store) => store.close()));
  let left = 1401;
  for (const delay of [0, 15, 60]) {
    const reader = sqliteStore(path);
    const engine = reader[engineOf];
    const before = Date.now() - 10 * DAY;
    const { sieve, size } = await survey(engine, before, []);
    const [batch] = [...batches(sieve.order)];
    if (!batch) {
      await reader.close();
      break;
    }
    const request = await requestOf(engine, batch, {
      before,
      retention: RETENTION * DAY,
      holds: [],
      now: Date.now(),
    });
    const child = new RemoteStore(path);
    await child.call("attach", await deployment.identity());
    const pruning = child.call("prune", { ...request!.prune, seen: size }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.process.kill("SIGKILL");
    await Promise.all([pruning, child.ended]);
    await reader.close();
    const next = await attached(deployment);
    const now = 1401 - (await gone(next));
    expect([left, left - batch.length]).toContain(now);
    left = now;
    expect(await objections(next, deployment)).toEqual([]);
    await open.pop()!.close();
  }
  const last = await attached(deployment);
  await pruneAll(last);
  expect(await gone(last)).toBe(1401);
  expect(await objections(last, deployment)).toEqual([]);
});
