import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { BehestError, Code } from "../../error.ts";
import type { Identity, SeenTool } from "../types.ts";
import { type WriterOptions, attach } from "./attach.ts";
import { told } from "./file.ts";
import type { Answer, Request, Write } from "./write.ts";
import type { Writer } from "./writer.ts";

/** What the thread is started with. */
export interface WorkerData {
  readonly path: string;
  readonly identity: Identity;
  readonly options: WriterOptions;
}

/** From the calling thread. Writes are answered in their order; `seen` is not answered; `close` is the last one. */
export type ToWorker =
  | { readonly writes: readonly Request[] }
  | { readonly seen: readonly SeenTool[] }
  | { readonly close: true };

/** From the thread: first whether it is attached, then answers. */
export type FromWorker = { readonly answers: readonly Sent[] };

export type Sent =
  | { readonly value: unknown }
  | {
      readonly error: {
        readonly code: Code;
        readonly message: string;
        readonly hint?: string;
        readonly cause?: string;
      };
    };

/**
 * One transaction takes this many requests at most: the calling thread goes on with the answers of one group
 * while the next goes to disk, and other processes wait for one group, not for all that is under way.
 */
const GROUP = 24;
const TICK = 1000;

const port = parentPort!;
const { path, identity, options } = workerData as WorkerData;

function send(answers: readonly Answer[]): void {
  port.postMessage({
    answers: answers.map((answer) => ("error" in answer ? { error: plain(answer.error) } : answer)),
  });
}

/** Does a group of them; a change of the entry key is a group of its own. */
function next(writer: Writer, writes: Request[]): readonly Answer[] {
  const [first] = writes;
  if (first?.op === "rotate") {
    writes.shift();
    return [writer.enrolling.rotate(first)];
  }
  const at = writes.findIndex(({ op }) => op === "rotate");
  return writer.write(writes.splice(0, at < 0 ? GROUP : Math.min(at, GROUP)) as Write[]);
}

/** Errors lose their class on the way. */
function plain(error: BehestError): Extract<Sent, { error: unknown }>["error"] {
  const { code, message, hint, cause } = error;
  return {
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(cause instanceof Error && { cause: cause.message }),
  };
}

try {
  const writer = await attach(path, identity, options);
  const timer = setInterval(() => writer.tick(), Math.min(TICK, options.lease / 5));
  port.on("message", (first: ToWorker) => {
    const writes: Request[] = [];
    let closing = false;
    let message: ToWorker | undefined = first;
    // Everything that has arrived by now goes to disk together.
    while (message) {
      if ("writes" in message) writes.push(...message.writes);
      else if ("seen" in message) writer.remember(message.seen);
      else closing = true;
      message = (receiveMessageOnPort(port) as { message: ToWorker } | undefined)?.message;
    }
    while (writes.length > 0) send(next(writer, writes));
    if (!closing) return;
    clearInterval(timer);
    let closed: Answer = { value: undefined };
    try {
      writer.close();
    } catch (error) {
      closed = { error: told(error) };
    }
    send([closed]);
    port.close();
  });
  send([{ value: undefined }]);
} catch (error) {
  send([{ error: told(error) }]);
  port.close();
}
