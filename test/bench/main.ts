// npm run bench            a table
// npm run bench -- --json  one JSON object a line; --only id,id picks
import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import type { Figure } from "./figure.ts";

const BENCHMARKS: { readonly [id: string]: () => Promise<Figure> } = {
  "verify-chain-1": async () => (await import("./verify.ts")).verifyChain("verify-chain-1", 1),
  "verify-cold-4": async () => (await import("./verify.ts")).verifyChain("verify-cold-4", 4),
  "verify-chain-8": async () => (await import("./verify.ts")).verifyChain("verify-chain-8", 8),
  "verify-growth": async () => (await import("./verify.ts")).verifyGrowth(),
  "hostile-token": async () => (await import("./hostile.ts")).hostileToken(),
  "hostile-pair": async () => (await import("./hostile.ts")).hostilePair(),
  "verify-vs-biscuit": async () => (await import("./peers.ts")).versusBiscuit(),
  "verify-vs-biscuit-4": async () => (await import("./verify.ts")).verifyVsBiscuit4(),
  "verify-vs-ucanto": async () => (await import("./peers.ts")).versusUcanto(),
  "verify-vs-passport": async () => (await import("./peers.ts")).versusPassport(),
  "verify-vs-macaroon": async () => (await import("./peers.ts")).versusMacaroon(),
  "authorize-warm": async () => (await import("./core.ts")).authorizeWarm(),
  "authorize-cedar-10": async () => (await import("./policy.ts")).authorizeCedar10(),
  "authorize-cedar-100": async () => (await import("./policy.ts")).authorizeCedar100(),
  "start-default": async () => (await import("./shipped.ts")).startDefault(),
  "authorize-default": async () => (await import("./shipped.ts")).authorizeDefault(),
  "action-durable-1": async () => (await import("./core.ts")).actionDurable1(),
  "actions-per-second-64": async () => (await import("./core.ts")).actionsPerSecond64(),
  "actions-per-second": async () => {
    const { actionsPerSecond, onSqlite } = await import("./durable.ts");
    return onSqlite((store) => actionsPerSecond("actions-per-second", store));
  },
  "added-at-100": async () => {
    const { addedAt100, onSqlite } = await import("./durable.ts");
    return onSqlite((store) => addedAt100("added-at-100", store));
  },
  "actions-per-second-postgres": async () => {
    const { actionsPerSecond, onPostgres } = await import("./durable.ts");
    return onPostgres((store) => actionsPerSecond("actions-per-second-postgres", store));
  },
  "added-at-100-postgres": async () => {
    const { addedAt100, onPostgres } = await import("./durable.ts");
    return onPostgres((store) => addedAt100("added-at-100-postgres", store));
  },
  "action-durable-1-postgres": async () => (await import("./postgres.ts")).actionDurable1Postgres(),
  "log-growth-postgres": async () => (await import("./postgres.ts")).logGrowthPostgres(),
  "budget-contention": async () => (await import("./budget.ts")).budgetContention(),
  "budget-contention-policy": async () => (await import("./budget.ts")).budgetContentionPolicy(),
  "log-growth": async () => (await import("./store.ts")).logGrowth(),
  "overhead-langchain": async () => (await import("./overhead-langchain.ts")).overheadLangchain(),
  "overhead-ai-sdk": async () => (await import("./overhead-ai-sdk.ts")).overheadAiSdk(),
  "revocation-check-1m": async () => (await import("./revocation.ts")).revocationCheck1m(),
  "abort-running": async () => (await import("./revocation.ts")).abortRunning(),
  "revoke-p99-16": async () => (await import("./revocation.ts")).revokeP99(),
  "revoke-p99-16-postgres": async () => (await import("./revocation.ts")).revokeP99Postgres(),
  "verify-bundle-1000": async () => (await import("./evidence.ts")).verifyBundle1000(),
  "export-growth": async () => (await import("./evidence.ts")).exportGrowth(),
  "prune-1000-postgres": async () => (await import("./prune.ts")).prune1000Postgres(),
  "proof-time": async () => (await import("./evidence.ts")).proofTime(),
  "crash-1000": async () => (await import("./crash.ts")).crash1000(),
  "crash-1000-postgres": async () => (await import("./crash.ts")).crash1000Postgres(),
};

const { values } = parseArgs({ options: { json: { type: "boolean" }, only: { type: "string" } } });
const ids = values.only?.split(",") ?? Object.keys(BENCHMARKS);
const unknown = ids.filter((id) => !Object.hasOwn(BENCHMARKS, id));
if (unknown.length > 0) {
  console.error(`unknown benchmark: ${unknown.join(", ")}. Known: ${Object.keys(BENCHMARKS).join(", ")}`);
  process.exit(2);
}
if (!values.json)
  console.log(`${cpus().length} × ${cpus()[0]!.model}, Linux ${release()}, Node ${process.versions.node}\n`);
// It listens to Cedar, which has to be before anything has loaded policies.
if (ids.some((id) => id.startsWith("authorize-cedar"))) await import("./policy.ts");
let missed = 0;
for (const id of ids) {
  const figure = await BENCHMARKS[id]!();
  if (!figure.ok) missed++;
  console.log(values.json ? JSON.stringify(figure) : row(figure));
}
process.exit(missed === 0 ? 0 : 1);

function row({ id, value, unit, target, ok, beside = {} }: Figure): string {
  const more = Object.entries(beside).map(([what, n]) => `${what} ${n}`);
  return `${ok ? "ok  " : "MISS"} ${id.padEnd(22)} ${String(value).padStart(10)} ${unit.padEnd(10)} ${target === undefined ? "no target" : `target ${target}`}${more.length ? `   (${more.join(", ")})` : ""}`;
}
