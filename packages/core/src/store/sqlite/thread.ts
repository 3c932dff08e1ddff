import { Worker } from "node:worker_threads";
import { BehestError } from "../../error.ts";
import { broken, closed } from "../failure.ts";
import type { SeenTool } from "../types.ts";
import type { FromWorker, Sent, ToWorker, WorkerData } from "./worker.ts";
import type { Request } from "./write.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: BehestError): void;
}

/**
 * The writer's thread, seen from the calling one. While something waits for an answer the process is kept
 * alive, otherwise the thread does not keep it: a process that ends by itself has lost no write.
 */
export class WriterThread {
  readonly #worker: Worker;
  /** Answers come in the order of the requests. */
  readonly #waiting: Waiting[] = [];
  #batch: Request[] = [];
  #over: BehestError | undefined;
  /** Resolves when the store is attached. */
  readonly attached: Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(data: WorkerData) {
    const source = import.meta.url.endsWith(".ts");
    this.#worker = new Worker(new URL(source ? "./worker.ts" : "./worker.js", import.meta.url), {
      workerData: data,
      // Not the process's own flags: some of them (--input-type, --eval) do not suit a file.
      execArgv: source ? ["--conditions=@behest/source"] : [],
      name: "behest-store",
    });
    this.#worker.on("message", (message: FromWorker) => this.#receive(message.answers));
    this.#worker.on("error", (error) => this.#end(broken("the writer's thread failed", error)));
    this.#worker.on("exit", () => this.#end(closed()));
    this.attached = this.#wait() as Promise<void>;
    this.attached.catch((error: BehestError) => (this.#over = error));
  }

  write(write: Request): Promise<unknown> {
    if (this.#over || this.#closing) return Promise.reject(this.#over ?? closed());
    // After the promises that one answer settles have run, so that what they ask for next travels as one message.
    if (this.#batch.push(write) === 1) process.nextTick(() => this.#send());
    return this.#wait();
  }

  seen(tools: readonly SeenTool[]): void {
    if (!this.#over && !this.#closing) this.#post({ seen: tools });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #close(): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#send();
    const done = this.#wait() as Promise<void>;
    this.#post({ close: true });
    // A thread that ended before it came to this has nothing left to close.
    return done.catch((error) => {
      if (error !== this.#over) throw error;
    });
  }

  #send(): void {
    if (this.#batch.length === 0) return;
    this.#post({ writes: this.#batch });
    this.#batch = [];
  }

  #post(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(message);
  }

  #wait(): Promise<unknown> {
    if (this.#waiting.length === 0) this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #receive(answers: readonly Sent[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.shift();
      if ("error" in answer) waiting?.reject(errorOf(answer.error));
      else waiting?.resolve(answer.value);
    }
    if (this.#waiting.length === 0) this.#worker.unref();
  }

  #end(error: BehestError): void {
    this.#over ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#over);
  }
}

function errorOf({ code, message, hint, cause }: Extract<Sent, { error: unknown }>["error"]): BehestError {
  return new BehestError(code, message, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause: new Error(cause) }),
  });
}
