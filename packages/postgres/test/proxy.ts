import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";

/** A line to a server on this machine, and what may happen on it: everything is late, or nothing comes any more. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How late everything is, ms. */
  delay = 0;
  /** Takes what is sent, and hands nothing on. */
  still = false;
  /** Sees, and may replace, what the server sends; undefined: it is not handed on. */
  answer: (chunk: Buffer) => Buffer | undefined = (chunk) => chunk;
  /** Sees what a client sends; answers in the server's place where that is given. */
  ask: (chunk: Buffer) => Buffer | undefined = () => undefined;

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const server = connect(target, "127.0.0.1");
      this.#pass(client, server, (chunk) => {
        const instead = this.ask(chunk);
        if (instead) client.write(instead);
        return instead ? undefined : chunk;
      });
      this.#pass(server, client, (chunk) => this.answer(chunk));
    });
  }

  static async to(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #pass(from: Socket, to: Socket, change: (chunk: Buffer) => Buffer | undefined): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (chunk) => {
      if (this.still) return;
      const changed = change(chunk);
      if (changed && this.delay > 0) setTimeout(() => to.write(changed), this.delay);
      else if (changed) to.write(changed);
    });
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      if (!this.still) to.destroy();
    });
  }
}
