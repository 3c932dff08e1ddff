import { setTimeout as setTimer } from "node:timers/promises";
import { metrics } from "@opentelemetry/api";
import type { Alert } from "./alert.ts";

/** Hands one alert over. Rejects where it was not taken: with {@link Refused} where trying again is of no use. */
export type Send = (alert: Alert, signal: AbortSignal) => unknown;

export class Refused extends Error {}

export interface Pace {
  /** Between attempts, ms; one attempt more than there are waits. */
  readonly waits: readonly number[];
  /** For one attempt, ms; also for what is left at the end. */
  readonly timeout: number;
  /** Alerts that wait at most; more are lost. */
  readonly most: number;
}

const PACE: Pace = { waits: [1000, 5000, 25_000], timeout: 5000, most: 100 };

/** Alerts on their way, one after the other. Nobody waits for them but `close`, and that not for long. */
export class Delivery {
  readonly #send: Send;
  readonly #pace: Pace;
  readonly #waiting: Alert[] = [];
  readonly #closing = new AbortController();
  /** Ends the attempt under way. */
  #late: AbortController | undefined;
  #lost = 0;
  #warned = false;
  #running: Promise<void> | undefined;

  constructor(send: Send, pace: Pace = PACE) {
    this.#send = send;
    this.#pace = pace;
  }

  /** How many were not delivered, and not told of yet. */
  get lost(): number {
    return this.#lost;
  }

  push(alert: Alert): void {
    if (this.#closing.signal.aborted || this.#waiting.length >= this.#pace.most)
      return this.#lose("too many wait");
    this.#waiting.push(alert);
    this.#running ??= this.#run();
  }

  /** One more attempt for each that waits, all within the time of one; then what is left is lost. */
  async close(): Promise<void> {
    this.#closing.abort();
    const timer = setTimeout(() => {
      for (const _ of this.#waiting.splice(0)) this.#lose("there was no more time");
      this.#late?.abort();
    }, this.#pace.timeout);
    await this.#running;
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    for (let alert; (alert = this.#waiting.shift());) await this.#deliver(alert);
    this.#running = undefined;
  }

  async #deliver(alert: Alert): Promise<void> {
    for (const wait of [...this.#pace.waits, undefined])
      try {
        const lost = this.#lost;
        await this.#attempt(lost > 0 ? { ...alert, lost } : alert);
        this.#lost -= lost;
        this.#warned = false;
        return;
      } catch (error) {
        if (wait === undefined || error instanceof Refused || this.#closing.signal.aborted)
          return this.#lose(reasonOf(error));
        await pause(wait, this.#closing.signal);
      }
  }

  async #attempt(alert: Alert): Promise<void> {
    const late = (this.#late = new AbortController());
    const timer = setTimeout(() => late.abort(), this.#pace.timeout).unref();
    const over = new Promise<never>((_, reject) =>
      late.signal.addEventListener("abort", () => reject(new Error("it took too long")), { once: true }),
    );
    try {
      await Promise.race([Promise.resolve(this.#send(alert, late.signal)), over]);
    } finally {
      clearTimeout(timer);
    }
  }

  #lose(why: string): void {
    this.#lost++;
    const lost = metrics.getMeter("@behest/core").createCounter("behest.alert.lost", {
      description: "Alerts that were not delivered",
    });
    lost.add(1);
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(`An alert was not delivered: ${why}. So may the next ones be.`, {
      code: "BEHEST_ALERT",
    });
  }
}

/** What an error of others says may hold anything: only its code is passed on. */
function reasonOf(error: unknown): string {
  if (error instanceof Refused) return error.message;
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return typeof cause?.code === "string" && /^[A-Z_]{1,64}$/.test(cause.code)
    ? cause.code
    : "it was tried several times";
}

/** ms, or until the signal. Keeps no process alive. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimer(ms, undefined, { signal, ref: false }).catch(() => {});
}
