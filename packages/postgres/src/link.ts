import { Socket } from "node:net";
import { Client, type ClientConfig } from "pg";
import { closed, failed } from "./failure.ts";

/** How long a job may take, connecting included, ms: after that its socket counts as dead. */
const LIMIT = 5_000;

export interface Terms {
  /** What the connection is for, in messages. */
  readonly of: string;
  /** Done first on each new connection. */
  readonly ready?: (client: Client) => Promise<void>;
}

interface Connection {
  readonly client: Client;
  readonly connected: Promise<unknown>;
  /** At once, without asking the other side, which may be gone; PostgreSQL rolls back what was under way. */
  drop(): void;
}

/** One connection, made when it is first needed, and again after any failure. Idle, it keeps no process alive. */
export class Link {
  readonly #config: ClientConfig;
  readonly #terms: Terms;
  #connection: Connection | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(config: ClientConfig, terms: Terms) {
    this.#config = config;
    this.#terms = terms;
  }

  /**
   * Does one job after the other. What a connection that was kept loses is done again on a fresh one, so a job must do
   * no harm when it is done twice. Rejects with `store_failed`.
   */
  run<T>(job: (client: Client) => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      const from = performance.now();
      const kept = this.#connection !== undefined;
      try {
        return await this.#attempt(job, LIMIT).catch((error: unknown) => {
          const left = from + LIMIT - performance.now();
          if (!kept || left <= 0 || isAnswer(error)) throw error;
          return this.#attempt(job, left);
        });
      } catch (error) {
        throw failed(this.#terms.of, error);
      }
    });
    this.#last = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection?.drop();
    await this.#last;
  }

  async #attempt<T>(job: (client: Client) => Promise<T>, limit: number): Promise<T> {
    if (this.#closed) throw closed(this.#terms.of);
    const connection = (this.#connection ??= this.#connect());
    let late: NodeJS.Immediate | undefined;
    // Not before what has come while this process was busy is taken in.
    const timer = setTimeout(() => (late = setImmediate(connection.drop)), limit);
    try {
      await connection.connected;
      return await job(connection.client);
    } catch (error) {
      // Perhaps in the middle of a transaction, or of an answer: nobody goes on with it.
      connection.drop();
      throw error;
    } finally {
      clearTimeout(timer);
      clearImmediate(late);
    }
  }

  #connect(): Connection {
    const socket = new Socket().unref();
    const client = new Client({ ...this.#config, stream: () => socket });
    const connected = client.connect().then(() => this.#terms.ready?.(client));
    connected.catch(() => {});
    const drop = (): void => {
      if (this.#connection === connection) this.#connection = undefined;
      socket.destroy();
    };
    const connection = { client, connected, drop };
    // Of an idle connection these are the only word; of a busy one its job hears as well.
    client.on("error", drop).on("end", drop);
    return connection;
  }
}

/** PostgreSQL has said no, and is there. Class 57P and 25P03 are what it says when it goes or ends a connection. */
function isAnswer(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^57P|^25P03$/.test(code);
}
