import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, mkdirSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dirname, "../src/main.ts");

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
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

  /** Runs the command as a user does, in another process. */
  behest(...args: string[]): Ran {
    return this.behestWith({}, ...args);
  }

  behestWith(given: { input?: string; cwd?: string; env?: { [name: string]: string } }, ...args: string[]): Ran {
    return this.#node([SOURCE, ...args], given);
  }

  /** Runs a program that uses the packages, in this folder. */
  program(path: string, ...args: string[]): Ran {
    return this.#node([path, ...args], {});
  }

  path(...names: string[]): string {
    return join(this.dir, ...names);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** The folder of the owner's and issuer's keys. */
  get keys(): string {
    return (JSON.parse(this.read(".behest/config.json")) as { keys: string }).keys;
  }

  /** The private part of every key below here. */
  get secrets(): string[] {
    const files = readdirSync(this.root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jwk"));
    return files.map((name) => (JSON.parse(readFileSync(join(this.root, name), "utf8")) as { d: string }).d);
  }

  /** Every file below here with its size: what a refused command must leave as it was. */
  get listing(): string[] {
    return readdirSync(this.root, { recursive: true, encoding: "utf8" }).toSorted();
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #node(args: string[], { input = "", cwd = this.dir, env = {} }: { input?: string; cwd?: string; env?: object }): Ran {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@behest/source", ...args], {
      cwd,
      input,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: this.home, ...env },
    });
    const ran = { status, stdout, stderr };
    this.said.push(ran);
    return ran;
  }
}
