// The enforcing process of the demo: it holds the enforcer's and the agent's key and no other. Started twice by demo.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createBehest, readKeyFile, sqliteStore } from "@behest/core";
import { chooseModels } from "./models.ts";
import { runOffice } from "./agents.ts";

const [folder, dieAt] = process.argv.slice(2);
const file = (name: string): string => join(folder!, name);
const { owner } = JSON.parse(readFileSync(file("config.json"), "utf8")) as { owner: string };

const models = chooseModels(process.env, (agent, turn) => {
  if (dieAt === `${agent}:${turn}`) process.kill(process.pid, "SIGKILL");
});
const behest = await createBehest({
  trust: { owner, manifest: readFileSync(file("trust.jws"), "utf8") },
  signer: readKeyFile(file("enforcer.jwk")),
  holder: readKeyFile(file("agent.jwk")),
  store: sqliteStore(file("log.db")),
});
const session = await behest.open(readFileSync(file("alice.json"), "utf8"), {
  agent: "orchestrator",
  run: "demo",
});
process.stdout.write(`${await runOffice(session, models, file("effects.jsonl"))}\n`);
await behest.close();
