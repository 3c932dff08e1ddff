import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Signer, sha256 } from "@behest/jws";
import {
  type Frontier,
  type NodeAt,
  addSignature,
  appendLeaf,
  consistencyProof,
  printAddCheckpoint,
  printVkey,
  rootOf,
  signCheckpoint,
} from "@behest/provenance";

const SOURCE = join(import.meta.dirname, "../src/main.ts");

/** `behest witness` in a process of its own. */
export class WitnessProcess {
  readonly url: string;
  readonly vkey: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, { url, vkey }: { url: string; vkey: string }) {
    this.#child = child;
    this.url = url;
    this.vkey = vkey;
  }

  static async start(state: string, logs: readonly string[], ...more: string[]): Promise<WitnessProcess> {
    const options = [
      "--state",
      state,
      "--port",
      "0",
      "--json",
      ...logs.flatMap((log) => ["--log", log]),
      ...more,
    ];
    const child = spawn(process.execPath, ["--conditions=@behest/source", SOURCE, "witness", ...options], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    for await (const line of createInterface({ input: child.stdout }))
      return new WitnessProcess(child, JSON.parse(line) as { url: string; vkey: string });
    if (child.exitCode === null) await once(child, "exit");
    throw new Error(`the witness ended with ${child.exitCode}`);
  }

  /** No time to tidy up. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async post(
    body: string | Uint8Array<ArrayBuffer>,
  ): Promise<{ status: number; type: string | null; text: string }> {
    const answer = await fetch(`${this.url}/add-checkpoint`, { method: "POST", body });
    return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
  }
}

/** A log of a stranger's, who writes whatever helps. */
export class StrangersLog {
  readonly origin: string;
  readonly signer: Signer;
  readonly #nodes = new Map<string, Uint8Array>();
  #frontier: Frontier = [];
  size = 0;

  constructor(origin: string, signer: Signer, name = origin) {
    this.origin = origin;
    this.signer = signer;
    this.name = name;
  }

  readonly name: string;

  get vkey(): string {
    return printVkey({ name: this.name, jwk: this.signer.jwk, type: "log" });
  }

  grow(to: number, salt = ""): this {
    for (let i = this.size; i < to; i++) {
      const leaf = sha256(`leaf ${i} ${salt}`);
      const { frontier, nodes } = appendLeaf(this.#frontier, i, leaf);
      this.#nodes.set(`0 ${i}`, leaf);
      for (const { level, index, hash } of nodes) this.#nodes.set(`${level} ${index}`, hash);
      this.#frontier = frontier;
    }
    this.size = to;
    return this;
  }

  get root(): Uint8Array {
    return rootOf(this.#frontier);
  }

  checkpoint(): Promise<string> {
    return this.signed({ size: this.size, root: this.root });
  }

  async signed(
    { size, root }: { size: number; root: Uint8Array },
    signer: Signer = this.signer,
    extension = "",
  ): Promise<string> {
    const text = `${this.origin}\n${size}\n${Buffer.from(root).toString("base64")}\n${extension}`;
    // Another's line first, which nobody here knows.
    const stranger = signCheckpoint({ origin: "stranger.example", size, root }, this.signer).split(
      "\n\n",
    )[1]!;
    return addSignature(`${text}\n${stranger}`, this.name, signer);
  }

  proof(from: number): Uint8Array[] {
    const at: NodeAt = (level, index) => this.#nodes.get(`${level} ${index}`)!;
    return consistencyProof(at, from, this.size);
  }

  async request(old: number, proof: readonly Uint8Array[] = this.proof(old)): Promise<string> {
    return printAddCheckpoint({ old, proof, checkpoint: await this.checkpoint() });
  }
}
