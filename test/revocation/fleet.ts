import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Behest, createBehest, signCut, sqliteStore } from "@behest/core";
import { issueDelegation } from "@behest/delegation";
import { type PrivateJwk, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { postgresFeed } from "@behest/postgres";
import { type Manifest, signTrust } from "@behest/provenance";
import type { Said, Work } from "./worker.ts";

type Stopped = Extract<Said, { stopped: number }>;

/** Processes that hold sessions of the same persons, and one that revokes: on one store, or each on its own with one feed. */
export class Fleet {
  readonly workers: readonly ChildProcess[];
  readonly behest: Behest;
  readonly #revoker: PrivateJwk;
  /** What each worker has said of each person, as it comes. */
  readonly #said: readonly Map<number, Stopped>[];
  readonly #heard = new Set<() => void>();

  private constructor(behest: Behest, workers: readonly ChildProcess[], revoker: PrivateJwk) {
    this.behest = behest;
    this.workers = workers;
    this.#revoker = revoker;
    this.#said = workers.map(() => new Map());
    for (const [n, worker] of workers.entries())
      worker.on("message", (said: Said) => {
        if ("stopped" in said) this.#said[n]!.set(said.stopped, said);
        for (const heard of this.#heard) heard();
      });
  }

  /** `persons`: how many sessions each worker holds, of person-0 onwards. `feed`: URL of the one that all share. */
  static async start(folder: string, workers: number, persons: number, feed?: string): Promise<Fleet> {
    const [owner, issuer, enforcer, holder, revoker] = (await Promise.all(
      Array.from({ length: 5 }, () => generatePrivateJwk()),
    )) as [PrivateJwk, PrivateJwk, PrivateJwk, PrivateJwk, PrivateJwk];
    const manifest: Manifest = {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "t/log",
      issuers: [{ iss: "urn:t", jwk: signerOf(issuer).jwk }],
      enforcers: [{ jwk: signerOf(enforcer).jwk }],
      approvers: [],
      revokers: [{ scope: "*", jwk: signerOf(revoker).jwk }],
      witnesses: [],
    };
    const path = join(folder, "log.db");
    const trust = { owner: thumbprint(owner), manifest: await signTrust(manifest, signerOf(owner)) };
    const claims = {
      issuer: "urn:t",
      holder: signerOf(holder).jwk,
      task: "t",
      tools: { read: {} },
      expiresIn: "1h",
    } as const;
    const delegations = await Promise.all(
      Array.from({ length: persons }, (_, i) =>
        issueDelegation({ ...claims, principal: `person-${i}` }, signerOf(issuer)),
      ),
    );
    const behest = await createBehest({
      trust,
      signer: signerOf(enforcer),
      store: sqliteStore(path),
      policy: "grants-alone",
      ...(feed !== undefined && { feed: postgresFeed(feed) }),
    });
    const work = (n: number): Work => ({
      path: feed === undefined ? path : join(folder, `log-${n}.db`),
      feed,
      trust,
      enforcer,
      holder,
      delegations,
      framework: n % 2 ? "ai-sdk" : "langchain",
    });
    const file = join(import.meta.dirname, "worker.ts");
    const children = Array.from({ length: workers }, (_, n) =>
      fork(file, [JSON.stringify(work(n))], { execArgv: ["--conditions=@behest/source"] }),
    );
    await Promise.all(children.map((child) => once(child, "message")));
    return new Fleet(behest, children, revoker);
  }

  /** ns of the machine's steady clock before the cut was signed. */
  async revoke(person: number): Promise<bigint> {
    const cut = await signCut({ principal: `person-${person}` }, { reason: "test" }, signerOf(this.#revoker));
    const at = process.hrtime.bigint();
    await this.behest.revoke(cut);
    return at;
  }

  /** What each of these workers says of a person, once all have. */
  async stopped(
    person: number,
    among: readonly number[] = this.workers.map((_, n) => n),
  ): Promise<Stopped[]> {
    const found = (): Stopped[] => among.flatMap((n) => this.#said[n]!.get(person) ?? []);
    while (found().length < among.length) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#heard.add(resolve);
      await promise;
      this.#heard.delete(resolve);
    }
    return found();
  }

  /** Of how many persons a worker has said that they stopped. */
  count(worker: number): number {
    return this.#said[worker]!.size;
  }

  async end(): Promise<void> {
    for (const worker of this.workers) if (worker.connected) worker.disconnect();
    await this.behest.close();
    await Promise.all(
      this.workers.map(async (worker) => {
        if (worker.exitCode !== null || worker.signalCode !== null) return;
        worker.kill("SIGKILL");
        await once(worker, "exit");
      }),
    );
  }
}
