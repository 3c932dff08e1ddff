// The enforcement point: how long a decision takes, and a whole durable action.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Session, type Store, sqliteStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { grants, is } from "@behest/delegation";
import { generatePrivateJwk, signerOf, utf8 } from "@behest/jws";
import { type Figure, atLeast, atMost, cpuOf, median, wallOf } from "./figure.ts";

const tools = { send_mail: {} };
const allowed = grants(tools, {
  send_mail: { to: is.email("@example.com"), subject: is.any, body: is.any, amount: is.atMost(50) },
});
const mail = (n: number): { to: string; subject: string; body: string; amount: number } => ({
  to: "bob@example.com",
  subject: `figures ${n}`,
  body: "as promised, the figures for this week ".repeat(4),
  amount: n % 50,
});

export async function authorizeWarm(): Promise<Figure> {
  await using behest = await testBehest({ policy: "grants-alone" });
  const session = await behest.as("alice", allowed);
  const rounds: number[] = [];
  for (let round = 0; round < 15; round++) {
    const args = mail(round);
    rounds.push(
      await wallOf(async () => {
        for (let i = 0; i < 5_000; i++) await session.authorize({ tool: "send_mail", args });
      }),
    );
  }
  return atMost("authorize-warm", median(rounds.slice(5)) / 5, "µs", 10);
}

const act = (session: Session, n: number): Promise<unknown> =>
  session.perform({ tool: "send_mail", args: mail(n) }, async () => "sent");

/** A folder on the disk that the stores of this run use. */
async function onDisk<T>(fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(process.env["BEHEST_BENCH_DIR"] ?? tmpdir(), "behest-bench-"));
  try {
    return await fn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One action at a time, against what it cannot do without: two syncs, six signatures, two round trips to the writer. */
export function actionDurable1(): Promise<Figure> {
  return onDisk(async (folder) =>
    oneAtATime("action-durable-1", sqliteStore(join(folder, "log.sqlite")), await necessity(folder)),
  );
}

/** What so many actions cannot do without. */
export interface Floor {
  times(n: number): Promise<void>;
  stop(): Promise<unknown>;
}

/** One action at a time ÷ what it cannot do without, in turns. */
export async function oneAtATime(
  id: string,
  store: Store,
  floor: Floor,
  more?: Figure["beside"],
): Promise<Figure> {
  const behest = await testBehest({ store, policy: "grants-alone" });
  const session = await behest.as("alice", allowed);
  for (let i = 0; i < 300; i++) await act(session, i);
  const ratios: number[] = [];
  const walls: number[] = [];
  const cpus: number[] = [];
  const N = 50;
  for (let round = 0; round < 21; round++) {
    const needed = await wallOf(() => floor.times(N));
    const batch = async (): Promise<void> => {
      for (let i = 0; i < N; i++) await act(session, round * N + i);
    };
    let wall = 0;
    const cpu = await cpuOf(async () => (wall = await wallOf(batch)));
    ratios.push(wall / needed);
    walls.push(wall / N);
    cpus.push(cpu / N);
  }
  await floor.stop();
  await behest.close();
  const beside = { "wall ms": median(walls).toFixed(3), "CPU µs (≤ 900)": Math.round(median(cpus)), ...more };
  return atMost(id, median(ratios), "ratio", 1.7, beside);
}

async function necessity(folder: string): Promise<Floor> {
  const fd = openSync(join(folder, "floor"), "w");
  const page = new Uint8Array(8192);
  const signer = signerOf(await generatePrivateJwk());
  const message = utf8("x".repeat(1000));
  const worker = new Worker(
    'require("node:worker_threads").parentPort.on("message", (m) => require("node:worker_threads").parentPort.postMessage(m))',
    { eval: true },
  );
  const payload = { text: "x".repeat(2000) };
  return {
    async times(n) {
      for (let i = 0; i < n; i++) {
        for (let trip = 0; trip < 2; trip++) {
          const answer = once(worker, "message");
          worker.postMessage(payload);
          await answer;
          writeSync(fd, page);
          fdatasyncSync(fd);
        }
        for (let signature = 0; signature < 6; signature++) await signer.sign(message);
      }
    },
    stop() {
      closeSync(fd);
      return worker.terminate();
    },
  };
}

export function actionsPerSecond64(): Promise<Figure> {
  return onDisk(async (folder) => {
    const behest = await testBehest({
      store: sqliteStore(join(folder, "log.sqlite")),
      policy: "grants-alone",
    });
    const session = await behest.as("alice", allowed);
    let n = 0;
    const burst = (each: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: 64 }, async () => {
          for (let i = 0; i < each; i++) await act(session, n++);
        }),
      );
    await burst(10);
    const rates: number[] = [];
    for (let round = 0; round < 7; round++) rates.push((64 * 30) / ((await wallOf(() => burst(30))) / 1000));
    await behest.close();
    return atLeast("actions-per-second-64", median(rates), "actions/s", 4000);
  });
}
