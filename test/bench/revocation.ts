// How long a cut takes to reach what it concerns, and what looking for one costs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signCut } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { randomBytes } from "@behest/jws";
import { Cuts } from "../../packages/core/src/revocation/cuts.ts";
import { Lineage } from "../../packages/core/src/revocation/keys.ts";
import { postgresServer } from "../../packages/postgres/test/server.ts";
import { Fleet } from "../revocation/fleet.ts";
import { type Figure, atMost, median } from "./figure.ts";

const tools = { read: { "*": { constraint_type: "wildcard" } } } as const;

function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)]!;
}

/** The same with each process on a store of its own, and a feed on PostgreSQL. */
export async function revokeP99Postgres(): Promise<Figure> {
  await using server = await postgresServer();
  if (!server) throw new Error("there is no PostgreSQL to measure");
  return await revokeP99("revoke-p99-16-postgres", await server.url());
}

/** From the call of `revoke` to the last of 16 processes whose session of that person has stopped, p99 of 100 cuts. */
export async function revokeP99(id: string = "revoke-p99-16", feed?: string): Promise<Figure> {
  const folder = mkdtempSync(join(process.env["BEHEST_BENCH_DIR"] ?? tmpdir(), "behest-revoke-"));
  const CUTS = 110;
  const fleet = await Fleet.start(folder, 16, CUTS, feed);
  try {
    const took: number[] = [];
    for (let person = 0; person < CUTS; person++) {
      const at = await fleet.revoke(person);
      const stopped = await fleet.stopped(person);
      if (stopped.some(({ code, next }) => next !== "revoked" || code !== "revoked"))
        throw new Error("an action was not refused");
      const last = stopped.map((one) => BigInt(one.at)).reduce((a, b) => (a > b ? a : b));
      took.push(Number(last - at) / 1e6);
    }
    const measured = took.slice(10);
    return atMost(id, percentile(measured, 99), "ms", 50, {
      "median ms": median(measured).toFixed(1),
    });
  } finally {
    await fleet.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the call of `revoke` to the signal of a tool that runs under it, p99.9 of 1,000. */
export async function abortRunning(): Promise<Figure> {
  await using behest = await testBehest();
  const took: number[] = [];
  for (let i = 0; i < 1_100; i++) {
    const session = await behest.as(`person-${i}`, tools);
    const cut = await signCut({ principal: `person-${i}` }, { reason: "bench" }, behest.revoker);
    const { promise: running, resolve } = Promise.withResolvers<void>();
    let at = 0;
    const done = session.perform({ tool: "read", args: {} }, async (_, { signal }) => {
      const aborted = new Promise<number>((told) =>
        signal.addEventListener("abort", () => told(performance.now())),
      );
      resolve();
      took.push((await aborted) - at);
    });
    await running;
    at = performance.now();
    await behest.revoke(cut);
    await done;
  }
  const measured = took.slice(100);
  return atMost("abort-running", percentile(measured, 99.9), "ms", 200, {
    "median ms": median(measured).toFixed(2),
  });
}

/** One look whether a chain of five hops is cut, among a million cuts of others, ÷ among ten. */
export async function revocationCheck1m(): Promise<Figure> {
  const few = filled(10);
  const many = filled(1_000_000);
  const hops = Array.from({ length: 5 }, (_, i) => ({
    jti: `jti-${i}`,
    iss: `iss-${i}`,
    iat: 1,
    holder: `holder-${i}`,
    agent: `agent-${i}`,
    tenant: i === 0 ? "acme" : undefined,
  }));
  // Sessions of many persons, so that their keys do not stay in the processor's nearest cache.
  const chains = Array.from({ length: 512 }, (_, i) =>
    new Lineage(
      hops.map((hop) => ({ ...hop, jti: `${hop.jti} ${i}` })),
      `person-${i}`,
    ).keys("any *"),
  );
  const per = (cuts: Cuts): number => {
    const rounds: number[] = [];
    for (let round = 0; round < 15; round++) {
      const from = performance.now();
      for (let i = 0; i < 200_000; i++)
        if (cuts.concerns(chains[i & 511]!, 1)) throw new Error("found what is not there");
      rounds.push((performance.now() - from) / 200);
    }
    return median(rounds.slice(5));
  };
  const [of10, of1m] = [per(few), per(many)];
  return atMost("revocation-check-1m", of1m, "µs", 0.4, {
    "µs among 10": of10.toFixed(3),
    growth: (of1m / of10).toFixed(2),
    "MB (≤ 40)": (many.bytes / 1e6).toFixed(1),
  });
}

function filled(size: number): Cuts {
  const cuts = new Cuts();
  for (let i = 0; i < size; i += 1000) {
    const words = new Uint32Array(Uint8Array.from(randomBytes(16_000)).buffer);
    for (let j = 0; j < Math.min(1000, size - i); j++) cuts.add(words.subarray(j * 4, j * 4 + 4), {}, 0);
  }
  return cuts;
}
