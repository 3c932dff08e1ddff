import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Engine } from "../../src/store/types.ts";

/** One call on the other process's engine; `leave`: let go of the parent and end when nothing is left to do. */
export interface Order {
  readonly id: number;
  readonly method: Exclude<keyof Engine, "feed"> | "leave";
  readonly args: readonly unknown[];
}

/** 0: ready. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

type Method = Exclude<keyof Engine, "seen" | "feed">;

/** A store in another process. */
export class RemoteStore {
  readonly process: ChildProcess;
  /** How the process ended: its exit code or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  readonly #ready: Promise<unknown>;
  #last = 0;

  /** `limit`: of the size of every file it writes, in blocks of 512 bytes. `child`: what it runs. */
  constructor(
    path: string,
    options: object = {},
    limit?: number,
    child: string = resolve(import.meta.dirname, "child.ts"),
  ) {
    const node = [process.execPath, "--conditions=@behest/source", child, path, JSON.stringify(options)];
    const limited = ["-c", `${limit === undefined ? "" : `ulimit -f ${limit}; `}exec "$0" "$@"`, ...node];
    this.process = spawn("sh", limited, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
    this.ended = once(this.process, "exit").then(([code, signal]) => (code ?? signal) as number | string);
    this.#ready = new Promise((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
    this.process.on("message", (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error)
        waiting?.reject(Object.assign(new Error(reply.error.message), { code: reply.error.code }));
      else waiting?.resolve(reply.value);
    });
    void this.ended.then((how) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the other process ended: ${how}`));
    });
  }

  async call<M extends Method>(
    method: M,
    ...args: Parameters<Required<Engine>[M]>
  ): Promise<Awaited<ReturnType<Required<Engine>[M]>>> {
    await this.#ready;
    return (await this.#send(method, args)) as Awaited<ReturnType<Required<Engine>[M]>>;
  }

  /** Lets the process end by itself, without closing its store, after what it was told before. */
  async leave(): Promise<void> {
    await this.#ready;
    this.process.send({ id: -1, method: "leave", args: [] } satisfies Order);
  }

  #send(method: Method, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // A process that has just been killed may not be known to be: then it has not been told.
      this.process.send({ id, method, args } satisfies Order, (error) => error && reject(error));
    });
  }
}
