import { metrics } from "@opentelemetry/api";
import { BehestError } from "../error.ts";
import { AlteredContent } from "../record/content.ts";
import { type Alert, type AlertOptions, burstOf } from "./alert.ts";
import { Bursts } from "./burst.ts";
import { Delivery, type Send } from "./delivery.ts";
import { webhook } from "./webhook.ts";

/** What was handed in, or lies in the store, is not what somebody has signed. */
const FAILURES: ReadonlySet<string> = new Set([
  "approval_invalid",
  "delegation_invalid",
  "holder_mismatch",
  "identity_invalid",
  "revocation_refused",
  "store_mismatch",
]);

/** Of break-glass and failures: once in so long about the same, ms. */
const QUIET = 60_000;

type About = Pick<Alert, "principal" | "session" | "tool">;

/** Denials, break-glass and failed verifications: as metrics always, as alerts where somebody wants them. */
export class Alerts {
  readonly #log: string;
  readonly #clock: () => number;
  readonly #delivery: Delivery | undefined;
  readonly #denials: Bursts;
  readonly #noted = new WeakSet<Error>();
  readonly #others = new Bursts(1, QUIET);

  /** Throws `config_invalid`. */
  constructor(log: string, clock: () => number, options?: AlertOptions) {
    this.#log = log;
    this.#clock = clock;
    const { count, ms } = burstOf(options ?? {});
    this.#denials = new Bursts(count, ms);
    this.#delivery = options && new Delivery(senderOf(options));
  }

  /** `tool`: undefined where it is not granted: what a model makes up is no label of a metric. */
  denied(code: string, principal: string, session: string, tool: string | undefined): void {
    counted("behest.action.denied", "Actions that were denied", {
      "behest.code": code,
      "behest.tool": tool ?? "(not granted)",
    });
    this.#tell(this.#denials, principal, { event: "denials", code, principal, session });
  }

  /** `override`: its id. The metric of its uses is `behest.override.used`. */
  overridden(code: "approved" | "used", override: string, about: About): void {
    this.#tell(this.#others, `${code}:${override}`, { event: "break_glass", code, ...about });
  }

  failed(code: string, about: About = {}): void {
    counted("behest.verification.failed", "What is not as somebody signed it", { "behest.code": code });
    this.#tell(this.#others, `failed:${code}`, { event: "verification_failed", code, ...about });
  }

  /** Passes on what becomes of it, and notes where it is a failed verification. */
  async watch<T>(done: Promise<T>): Promise<T> {
    try {
      return await done;
    } catch (error) {
      this.note(error);
      throw error;
    }
  }

  /** Notes an error, once, where it is a failed verification. */
  note(error: unknown): void {
    if (!(error instanceof Error) || this.#noted.has(error)) return;
    this.#noted.add(error);
    if (error instanceof AlteredContent) this.failed("content_altered");
    else if (BehestError.isInstance(error) && FAILURES.has(error.code)) this.failed(error.code);
  }

  async close(): Promise<void> {
    await this.#delivery?.close();
  }

  #tell(bursts: Bursts, name: string, what: Pick<Alert, "event" | "code"> & About): void {
    if (!this.#delivery) return;
    const now = this.#clock();
    const count = bursts.note(name, now);
    if (count === undefined) return;
    const { event, code, ...about } = what;
    this.#delivery.push({
      v: 1,
      event,
      at: new Date(now).toISOString(),
      log: this.#log,
      code,
      count,
      ...about,
    });
  }
}

/** Also where no compiler has looked at the options. */
function senderOf({ url, send }: AlertOptions): Send {
  if (url !== undefined && send === undefined) return webhook(url);
  if (typeof send === "function" && url === undefined) return send;
  throw new BehestError("config_invalid", "config_invalid: alerts has either a url or a send function.");
}

function counted(name: string, description: string, attributes: { readonly [name: string]: string }): void {
  metrics.getMeter("@behest/core").createCounter(name, { description }).add(1, attributes);
}
