import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { postgresStore } from "@behest/postgres";
import { sql } from "../../../packages/postgres/test/server.ts";
import { Disk, type Image, type PowerCut, filesBelow, refuseUnseen } from "../disk.ts";
import { type Life, type Task, run } from "../life.ts";
import { type Log, logIn } from "../log.ts";
import { type Aim, type Machine, type Who, aimAt, isStopped, newMachine, revive } from "../machine.ts";
import type { Random } from "../random.ts";
import { type Step, readSteps, sizeOf } from "../steps.ts";
import { Line, type Programs, Server, own } from "./cluster.ts";

/** What a host is made of. */
export interface Parts {
  readonly programs: Programs;
  /** Folder of a server that was never started. */
  readonly template: string;
  readonly synclog: string;
}

/** Steps, and the disk as it was before them. */
export interface Segment {
  readonly disk: Disk;
  readonly steps: readonly Step[];
}

export interface Ended extends Life {
  readonly segments: readonly Segment[];
  /** What surely is left of what was written to that file. */
  readonly effects: Buffer;
}

/** A server, the disk under it, and the clients of one life after the other. */
export class Host implements AsyncDisposable {
  readonly #programs: Programs;
  readonly #machine: Machine;
  readonly #line: Line;
  #server: Server | undefined;
  /** As all steps that were read have left it, and as whoever judges them has brought it there. */
  #disk: Disk | undefined;
  #twin: Disk | undefined;
  #read = 0;
  #segments: Segment[] = [];

  private constructor(programs: Programs, machine: Machine, line: Line) {
    this.#programs = programs;
    this.#machine = machine;
    this.#line = line;
  }

  /** Below `root`, which is not there yet. `lies`: its syncs do nothing. */
  static async start({ programs, template, synclog }: Parts, root: string, lies?: boolean): Promise<Host> {
    mkdirSync(root);
    chmodSync(root, 0o711);
    for (const name of ["effects", "answers"]) writeFileSync(join(root, name), "");
    await promisify(execFile)("cp", ["-a", template, join(root, "store")]);
    const host = new Host(programs, newMachine(synclog, root, lies), new Line());
    await host.#start();
    return host;
  }

  get url(): string {
    return this.#line.url;
  }

  /**
   * A life of the clients. Where the server is stopped its power is cut, and it starts again. `refusal`: it does not, or
   * was never to end.
   */
  async live(
    task: Task,
    {
      crew,
      aim,
      cut,
    }: { readonly crew: readonly Who[]; readonly aim?: Aim | undefined; readonly cut: PowerCut },
    random: Random,
  ): Promise<Ended | { readonly refusal: string }> {
    const machine = this.#machine;
    this.#segments = [];
    aimAt(machine, aim);
    const gone = new AbortController();
    // The last line of those that were there may have been cut off.
    const known = statSync(join(machine.root, "effects")).size;
    let effects: Buffer | undefined;
    const over = run(task, crew, machine, gone.signal);
    try {
      const first = await Promise.race([
        over.then(() => "clients"),
        this.#server!.ended.then(() => "server"),
      ]);
      aimAt(machine, undefined);
      const stops = isStopped(machine) ? (aim?.stops ?? "clients") : undefined;
      if (first === "server" && (stops ?? "clients") === "clients") return { refusal: "it ended by itself" };
      if (stops === "all" || stops === "server") {
        await this.#server!.kill();
        if (stops === "all") {
          gone.abort();
          await over;
        }
        this.#take();
        if (stops === "all") effects = this.#disk!.synced("effects");
        const refusal = await this.#cutPower(cut, random);
        if (refusal !== undefined) return { refusal };
      }
      const complaint = await over;
      revive(machine);
      await this.#alone();
      this.#take();
      const segments = this.#segments;
      const steps = segments.flatMap((segment) => segment.steps);
      const stop = steps.find(({ prevented }) => prevented);
      return {
        steps,
        stop,
        segments,
        effects: (effects ?? this.#disk!.synced("effects")).subarray(known),
        // Clients outlive a server.
        complaint: stop && stops !== "server" ? undefined : complaint,
      };
    } finally {
      gone.abort();
      await over;
    }
  }

  /** What the log says to one who only reads. */
  log(): Promise<Log> {
    return logIn(postgresStore(this.url));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
    this.#line[Symbol.dispose]();
    for (const path of [this.#machine.root, this.#machine.steps, this.#machine.page])
      rmSync(path, { recursive: true, force: true });
  }

  /** On what is on the disk. */
  async #start(): Promise<void> {
    const files = filesBelow(this.#machine.root);
    [this.#disk, this.#twin] = [new Disk(files, true), new Disk(files, true)];
    this.#server = await Server.start(this.#programs, this.#machine, this.#line);
  }

  /** Steps since it was last asked. */
  #take(): void {
    const steps = readSteps(this.#machine.steps, this.#read);
    this.#read += sizeOf(steps);
    for (const step of steps) this.#disk!.apply(step);
    this.#segments.push({ disk: this.#twin!, steps });
  }

  /** Answers with why it does not start again. */
  async #cutPower(cut: PowerCut, random: Random): Promise<string | undefined> {
    const { root } = this.#machine;
    refuseUnseen(this.#disk!, root, random);
    lay(this.#disk!.after(cut, random), root);
    revive(this.#machine);
    return this.#start().then(
      () => undefined,
      (error: Error) => error.message,
    );
  }

  /** What killed clients were about to commit is committed, or never will be. */
  async #alone(): Promise<void> {
    const others = "SELECT FROM pg_stat_activity WHERE application_name = 'behest'";
    while ((await sql(this.url, others)).length > 0);
  }
}

/** Makes what is there what a power cut has left. */
function lay(image: Image, root: string): void {
  for (const { name, bytes } of filesBelow(root)) {
    const left = image.get(name);
    if (!name.startsWith("store/") || left?.equals(bytes)) continue;
    if (left) writeFileSync(join(root, name), left);
    else rmSync(join(root, name));
  }
  for (const [name, bytes] of image) {
    const path = join(root, name);
    if (!name.startsWith("store/") || existsSync(path)) continue;
    writeFileSync(path, bytes, { mode: 0o600 });
    own(path);
  }
}
