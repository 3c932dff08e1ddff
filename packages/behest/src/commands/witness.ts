import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { bold, print, printFacts, printJson } from "../output.ts";
import { selfIn } from "../witness/home.ts";
import { logsOf } from "../witness/logs.ts";
import { serve } from "../witness/server.ts";
import { State } from "../witness/state.ts";
import { Witness } from "../witness/witness.ts";

interface Options {
  readonly state: string;
  readonly log: readonly string[];
  readonly name?: string;
  readonly host: string;
  readonly port: number;
  readonly json?: true;
}

export function witness(program: Command): void {
  define(program, {
    name: "witness",
    description: "watch other logs: cosign what extends all that was seen of them",
    example:
      "behest witness --state /var/lib/witness --name witness.example/w1 --log <vkey> --port 8900\nbehest trust vkey   # on the log's side: what to pass as --log",
  })
    .requiredOption("--state <folder>", "its key, and what it has seen; made when it is missing")
    .requiredOption(
      "--log <vkey>",
      'a log to watch, or "<origin> <vkey>"; several may be given',
      (text: string, before?: readonly string[]) => [...(before ?? []), text],
    )
    .option("--name <name>", "name of a new witness, such as witness.example/w1")
    .option("--host <address>", "where to listen; TLS is for a proxy in front", "127.0.0.1")
    .option("--port <number>", "0: any that is free", portOf, 8900)
    .action(run);
}

/** Runs until it is told to end. What it has answered is on disk, so that it may as well be killed. */
async function run(options: Options): Promise<void> {
  const logs = logsOf(options.log);
  const folder = resolve(options.state);
  const { name, signer, vkey } = await selfIn(folder, options.name);
  using state = new State(folder);
  const server = serve(new Witness(name, signer, { logs, state }));
  server.listen(options.port, options.host);
  await once(server, "listening").catch((cause: unknown) => {
    throw new CliError("address_taken", `${options.host}:${options.port} cannot be listened on.`, { cause });
  });
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  if (options.json) printJson({ url, vkey, logs: logs.map(({ origin }) => origin) });
  else {
    printFacts([
      ["witness", bold(vkey)],
      ["listens", url],
      ["watches", logs.map(({ origin }) => origin).join(", ")],
    ]);
    print("Whoever verifies pins the witness: behest verify --witness <its line above>.");
  }
  await new Promise((ended) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, ended);
  });
  server.closeAllConnections();
  server.close();
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && port <= 65_535) return port;
  throw usage("--port: a number up to 65535.");
}
