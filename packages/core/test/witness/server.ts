import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Signer, generatePrivateJwk, sha256, signerOf } from "@behest/jws";
import {
  type Head,
  cosign,
  parseAddCheckpoint,
  parseCheckpoint,
  printVkey,
  verifyConsistency,
} from "@behest/provenance";

interface Told {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

/** A witness of one log, over a real socket; what it answers can be replaced by anything. */
export class TestWitness implements AsyncDisposable {
  readonly name: string;
  readonly signer: Signer;
  readonly #server: Server;
  seen: Head = { size: 0, root: sha256("") };
  /** Every request, in turn. */
  readonly asked: string[] = [];
  /** Instead of the honest answer; `hang` gives none. */
  instead: ((body: string) => Told | "hang" | undefined | Promise<Told>) | undefined;

  private constructor(name: string, signer: Signer) {
    this.name = name;
    this.signer = signer;
    this.#server = createServer((request, response) => {
      void text(request).then(async (body) => {
        this.asked.push(body);
        const told = (await this.instead?.(body)) ?? (await this.#answer(body));
        if (told === "hang") return;
        response.writeHead(told.status, { "content-type": told.type ?? "text/plain" }).end(told.body);
      });
    });
  }

  static async start(name = "witness.test/w"): Promise<TestWitness> {
    const made = new TestWitness(name, signerOf(await generatePrivateJwk()));
    made.#server.listen(0, "127.0.0.1");
    await once(made.#server, "listening");
    return made;
  }

  get at(): { readonly url: string; readonly vkey: string } {
    const { port } = this.#server.address() as AddressInfo;
    const vkey = printVkey({ name: this.name, jwk: this.signer.jwk, type: "witness" });
    return { url: `http://127.0.0.1:${port}/`, vkey };
  }

  async #answer(body: string): Promise<Told> {
    const { old, proof, checkpoint } = parseAddCheckpoint(body);
    const head = parseCheckpoint(checkpoint);
    if (old !== this.seen.size) return { status: 409, type: "text/x.tlog.size", body: `${this.seen.size}\n` };
    if (!verifyConsistency(proof, this.seen, head)) return { status: 422, body: "" };
    this.seen = head;
    return {
      status: 200,
      body: await cosign(checkpoint, this.name, Math.floor(Date.now() / 1000), this.signer),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
