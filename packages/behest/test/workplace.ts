import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dirname, "../src/main.ts");
const AGENT = join(import.meta.dirname, "agent.ts");
const PAYER = join(import.meta.dirname, "payer.ts");
const GRANTS = ["send_mail(to=@example.com, subject=*, body=*)", "read_file(path=/docs/**)"];

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Given {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
}

/** A folder to work in and a home of its own: what the command makes of them is all there is. */
export class Workplace implements Disposable {
  readonly root: string = realpathSync(mkdtempSync(join(tmpdir(), "behest-")));
  readonly dir: string = join(this.root, "work");
  readonly home: string = join(this.root, "home");
  /** Everything that any run here has printed. */
  readonly said: Ran[] = [];

  constructor() {
    mkdirSync(this.dir);
    mkdirSync(this.home);
  }

  /** The first rungs of the ladder: keys, alice's delegation in alice.json, and what an agent did under it. */
  static used(): Workplace {
    const place = new Workplace();
    place.must("init");
    const tools = GRANTS.flatMap((grant) => ["--tool", grant]);
    const alice = ["--principal", "alice", "--task", "Answer my mail", "--out", "alice.json"];
    place.must("delegate", ...alice, ...tools);
    place.declare({
      send_mail: { effect: "reversible", boundary: "inside" },
      read_file: { effect: "read", boundary: "inside" },
    });
    const { status, stderr } = place.#node([AGENT, "alice.json"], {});
    if (status !== 0) throw new Error(stderr);
    return place;
  }

  /** Keys, the profile of a tool that pays, and a delegation of it for each of these persons, in `<person>.json`. */
  static paying(...persons: string[]): Workplace {
    const place = new Workplace();
    place.must("init");
    place.declare({ pay: { effect: "reversible", boundary: "inside" } });
    for (const person of persons) {
      const whom = ["--principal", person, "--out", `${person}.json`];
      place.must("delegate", "--task", "Pay", "--tool", "pay(*)", ...whom);
    }
    return place;
  }

  /** What comes of an agent that pays under `<person>.json`: `paid`, or the code of what stopped it. */
  pay(person: string): string {
    const { status, stdout, stderr } = this.#node([PAYER, `${person}.json`], {});
    return status === 0 ? stdout.trim() : (/^ +code: '(\w+)'/m.exec(stderr)?.[1] ?? stderr);
  }

  /** Says what tools can do, as a user does who does not own them. */
  declare(profiles: object): void {
    writeFileSync(this.path(".behest/profiles.json"), JSON.stringify(profiles));
  }

  /** What another program prints that is run here: one line. */
  script(...args: string[]): string {
    const { status, stdout, stderr } = this.#node(args, {});
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** Runs the command as a user does, in another process. */
  behest(...args: string[]): Ran {
    return this.behestWith({}, ...args);
  }

  behestWith(given: Given, ...args: string[]): Ran {
    return this.#node([SOURCE, ...args], given);
  }

  /** Standard output of a run that must go well and say nothing else. */
  must(...args: string[]): string {
    return this.mustWith({}, ...args);
  }

  mustWith(given: Given, ...args: string[]): string {
    const { status, stdout, stderr } = this.behestWith(given, ...args);
    if (status !== 0 || stderr !== "") throw new Error(`${args.join(" ")}: ${status} ${stderr}`);
    return stdout;
  }

  json(...args: string[]): unknown {
    return JSON.parse(this.must(...args, "--json"));
  }

  /** Runs in a copy of the folder that `change` has changed. Answers as {@link Workplace.refusal}, and with what it printed. */
  after(
    change: (copy: string) => void,
    ...args: string[]
  ): { readonly refusal: string; readonly stdout: string } {
    const copy = mkdtempSync(join(this.root, "copy-"));
    cpSync(this.dir, copy, { recursive: true });
    change(copy);
    const before = this.listing.join();
    const ran = this.behestWith({ cwd: copy }, ...args);
    const left = this.listing.join();
    rmSync(copy, { recursive: true });
    return { refusal: before === left ? this.refusal(ran) : `other files: ${left}`, stdout: ran.stdout };
  }

  /** `code exit` of a run that was refused with one plain line which gives no key and no token away; else what it said. */
  refusal({ status, stdout, stderr }: Ran): string {
    const code = /^([a-z_]+): [^\n\p{Cc}\p{Cf}]+\n$/u.exec(stderr)?.[1];
    const given = [...this.secrets, ...this.tokens].some((secret) => (stdout + stderr).includes(secret));
    return code === undefined || given
      ? `${given ? "gave a secret away: " : ""}${stderr}`
      : `${code} ${status}`;
  }

  path(...names: string[]): string {
    return join(this.dir, ...names);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  get config(): { readonly owner: string; readonly keys: string } {
    return JSON.parse(this.read(".behest/config.json")) as { owner: string; keys: string };
  }

  /** Private parts of the keys that were made here. */
  get secrets(): string[] {
    const files = this.listing.filter((name) => name.endsWith(".jwk") && !name.startsWith("copy"));
    return files.map((name) => (JSON.parse(readFileSync(join(this.root, name), "utf8")) as { d: string }).d);
  }

  /** Of alice's delegation. */
  get tokens(): string[] {
    if (!this.listing.includes("work/alice.json")) return [];
    return (JSON.parse(this.read("alice.json")) as { chain: string[] }).chain;
  }

  /** Every file here, but those that SQLite makes to read: what a refused command must leave as it was. */
  get listing(): string[] {
    const files = readdirSync(this.root, { recursive: true, encoding: "utf8" });
    return files.filter((name) => !/^cache|\.db-(?:shm|wal)$/.test(name)).toSorted();
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Another program, run here. */
  node(...args: string[]): Ran {
    return this.nodeWith({}, ...args);
  }

  nodeWith(given: Given, ...args: string[]): Ran {
    return this.#node(args, given);
  }

  #node(args: string[], { input = "", cwd = this.dir, env = {} }: Given): Ran {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@behest/source", ...args], {
      cwd,
      input,
      encoding: "utf8",
      // The compile cache halves the time of a run from source.
      env: {
        PATH: process.env["PATH"],
        HOME: this.home,
        NODE_COMPILE_CACHE: join(this.root, "cache"),
        ...env,
      },
    });
    const ran = { status, stdout, stderr };
    this.said.push(ran);
    return ran;
  }
}
