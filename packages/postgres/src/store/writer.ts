import { setImmediate } from "node:timers";
import { BehestError } from "@behest/core";
import {
  type BeginResult,
  type Emitter,
  type Erase,
  type Prune,
  type SeenTool,
  unstorable,
} from "@behest/core/store";
import { rotation } from "./enrolling.ts";
import { erasure } from "./erasing.ts";
import { find } from "./find.ts";
import type { Job, Log } from "./log.ts";
import { type Write, lapse, perform, see } from "./perform.ts";
import { pruning } from "./pruning.ts";
import { sweep } from "./sweep.ts";
import type { Known, Work } from "./work.ts";

/** One transaction takes this many requests at most. */
const GROUP = 64;
const TICK = 1_000;
/** How often what is over is swept, ms. */
const SWEEP_EVERY = 60_000;

/** What is asked of the writer: what shares a transaction with others, and what has one of its own. */
export type Request =
  | Write
  | { readonly op: "erase"; readonly request: Erase }
  | { readonly op: "prune"; readonly request: Prune }
  /** Whoever asks has verified it. */
  | { readonly op: "rotate"; readonly emitter: Emitter };

const ALONE: ReadonlySet<Request["op"]> = new Set(["erase", "prune", "rotate"]);

type Answer = { readonly value: unknown } | { readonly error: BehestError };

interface Waiting {
  readonly write: Request;
  resolve(value: unknown): void;
  reject(error: BehestError): void;
}

/** Takes requests in the order of the calls, many in one transaction. */
export class Writer {
  readonly #log: Log;
  readonly #lease: number;
  #queue: Waiting[] = [];
  #pumping: Promise<void> | undefined;
  /** How tools were met: written with the next transaction. */
  readonly #seen = new Map<string, SeenTool>();
  /** Attempts that run here. */
  readonly #running = new Map<string, number>();
  /** Attempts whose caller was told that they did not begin, or whose end could not be stored: nobody knows of them. */
  readonly #lost = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #renewAt = 0;
  #sweepAt = 0;

  /** `lease`: how long it lasts, ms. */
  constructor(log: Log, lease: number) {
    this.#log = log;
    this.#lease = lease;
    this.#timer = setInterval(() => this.#tick(), Math.min(TICK, lease / 5)).unref();
  }

  /** As this process found or left the log. */
  get checkpoint(): string {
    return this.#log.checkpoint;
  }

  write(write: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ write, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  remember(tools: readonly SeenTool[]): void {
    for (const row of tools) this.#seen.set(JSON.stringify([row.tool, row.kind]), row);
  }

  /** Finishes what is under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#seen.size > 0 || this.#lost.size > 0) await this.write({ op: "flush" }).catch(() => {});
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    // What was called for in the same turn comes along, and what its answers call for next time.
    while (await new Promise((resolve) => setImmediate(() => resolve(this.#queue.length > 0)))) {
      const group = this.#queue.splice(0, GROUP);
      const answers = await this.#answers(group.map(({ write }) => write));
      for (const [i, answer] of answers.entries())
        if ("error" in answer) group[i]!.reject(answer.error);
        else group[i]!.resolve(answer.value);
    }
    this.#pumping = this.#queue.length > 0 ? this.#pump() : undefined;
  }

  async #answers(requests: readonly Request[]): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    for (const [i, request] of requests.entries()) {
      if (i < answers.length) continue;
      if (request.op === "erase") answers.push(await this.#alone(erasure(request.request)));
      else if (request.op === "prune") answers.push(await this.#alone(pruning(request.request)));
      else if (request.op === "rotate") answers.push(await this.#alone(rotation(request.emitter)));
      else answers.push(...(await this.#together(requests.slice(i))));
    }
    return answers;
  }

  /** Those at the beginning that may share a transaction. */
  async #together(requests: readonly Request[]): Promise<readonly Answer[]> {
    const end = requests.findIndex(({ op }) => ALONE.has(op));
    const writes = requests.slice(0, end < 0 ? requests.length : end) as readonly Write[];
    const answers = await this.#group(writes);
    for (const [i, answer] of answers.entries()) this.#note(writes[i]!, answer);
    return answers;
  }

  async #alone<T, K extends Known>(job: Job<T, K>): Promise<Answer> {
    try {
      const done = await this.#log.transact(job);
      return "value" in done ? done : { error: done.refused };
    } catch (error) {
      return { error: error as BehestError };
    }
  }

  async #group(writes: readonly Write[]): Promise<readonly Answer[]> {
    try {
      const done = await this.#log.transact(this.#job(writes));
      if ("value" in done) return done.value;
      if (writes.length === 1) return [{ error: done.refused }];
    } catch (error) {
      return writes.map(() => ({ error: error as BehestError }));
    }
    // What the database will not hold concerns whoever brought it.
    const answers: Answer[] = [];
    for (const write of writes) answers.push(...(await this.#group([write])));
    return answers;
  }

  #job(writes: readonly Write[]): Job<readonly Answer[]> {
    const seen = [...this.#seen];
    const lost = [...this.#lost];
    const renews = this.#running.size > 0 && performance.now() >= this.#renewAt;
    return {
      renews,
      find: (client) =>
        find(
          client,
          writes,
          lost.map(([action]) => action),
        ),
      perform: (work) => {
        see(
          work,
          seen.map(([, row]) => row),
        );
        for (const [action, attempt] of lost) this.#giveUp(work, action, attempt);
        return writes.map((write) => answered(work, () => perform(work, write, this.#log.lease)));
      },
      done: () => {
        for (const [key, row] of seen) if (this.#seen.get(key) === row) this.#seen.delete(key);
        for (const [action, attempt] of lost) {
          if (this.#lost.get(action) === attempt) this.#lost.delete(action);
          if (this.#running.get(action) === attempt) this.#running.delete(action);
        }
        this.#renewAt = performance.now() + this.#lease / 4;
      },
      lost: (answers) => {
        for (const [i, answer] of answers.entries()) {
          const write = writes[i]!;
          if (write.op === "begin" && "value" in answer && isStarted(answer.value))
            this.#lost.set(write.request.action, write.request.attempt);
        }
      },
    };
  }

  #giveUp(work: Work, action: string, attempt: number): void {
    const row = work.found.actions.get(action);
    if (!row || row.outcome !== null || row.attempt !== attempt || row.lease !== this.#log.lease) return;
    work.isolated(() => lapse(work, row));
  }

  #note(write: Write, answer: Answer): void {
    if (write.op === "begin" && "value" in answer && isStarted(answer.value))
      this.#running.set(write.request.action, write.request.attempt);
    if (write.op !== "finish") return;
    const { action, attempt } = write.request;
    if ("error" in answer) this.#lost.set(action, attempt);
    if (this.#running.get(action) === attempt) this.#running.delete(action);
  }

  /** Now and then: keeps the lease while something runs under it, tells what was lost, sweeps. */
  #tick(): void {
    if (this.#pumping) return;
    const now = performance.now();
    const isDue = this.#running.size > 0 && now >= this.#renewAt;
    if (isDue || this.#seen.size > 0 || this.#lost.size > 0) void this.write({ op: "flush" }).catch(() => {});
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_EVERY;
    void sweep(this.#log).catch(() => {});
  }
}

function answered(work: Work, act: () => unknown): Answer {
  try {
    return { value: work.isolated(act) };
  } catch (error) {
    return { error: BehestError.isInstance(error) ? error : unstorable(error) };
  }
}

function isStarted(value: unknown): boolean {
  return (value as BeginResult | undefined)?.begun === "started";
}
