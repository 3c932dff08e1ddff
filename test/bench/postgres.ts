// The store on PostgreSQL: one action at a time, and whether writing stays as fast when the log has grown.
import { generatePrivateJwk, signerOf, utf8 } from "@behest/jws";
import { postgresStore } from "@behest/postgres";
import { type Identity, engine as engineOf } from "../../packages/core/src/store/types.ts";
import { type TestDeployment, testDeployment } from "../../packages/core/test/store/deployment.ts";
import { type Server, connect, postgresServer, sql } from "../../packages/postgres/test/server.ts";
import { type Floor, oneAtATime } from "./core.ts";
import type { Figure } from "./figure.ts";
import { FILLER, type Log, SMALL, checkpointOf, compared, levelsOf, opened } from "./store.ts";

const SYNC = { sync: "fsync, synchronous_commit=on" };
/** Larger ones would take longer to make than to measure. */
const LARGE = 1_000_000;

/**
 * One action at a time, against what it cannot do without: two transactions of three round trips each (to lock, to write
 * 3 KB, to commit) and six signatures.
 */
export async function actionDurable1Postgres(): Promise<Figure> {
  return onServer(async (server) => {
    const url = await server.url();
    return oneAtATime("action-durable-1-postgres", postgresStore(url), await necessity(url), SYNC);
  });
}

async function necessity(url: string): Promise<Floor> {
  const client = await connect(url);
  await client.query("CREATE TABLE floor (bytes bytea)");
  const signer = signerOf(await generatePrivateJwk());
  const message = utf8("x".repeat(1000));
  const values = [Buffer.alloc(3_000, "x")];
  return {
    async times(n) {
      for (let i = 0; i < n; i++) {
        for (let transaction = 0; transaction < 2; transaction++) {
          await client.query("BEGIN; SELECT pg_advisory_xact_lock(1)");
          await client.query({ name: "write", text: "INSERT INTO floor VALUES ($1)", values });
          await client.query("COMMIT");
        }
        for (let signature = 0; signature < 6; signature++) await signer.sign(message);
      }
    },
    stop: () => client.end(),
  };
}

/** As `logGrowth`, with a million entries. */
export async function logGrowthPostgres(): Promise<Figure> {
  return onServer(async (server) => {
    const deployment = await testDeployment();
    const logs = [];
    for (const size of [SMALL, LARGE]) logs.push(await grown(await server.url(), deployment, size));
    return compared("log-growth-postgres", logs, SYNC);
  });
}

async function grown(url: string, deployment: TestDeployment, size: number): Promise<Log> {
  const identity = await deployment.identity();
  const first = postgresStore(url);
  await first[engineOf].attach(identity);
  await first.close();
  await fill(url, identity, size);
  return opened(postgresStore(url), deployment);
}

const ID = "translate(encode(sha256(i::text::bytea), 'base64'), '+/=', '-_')";

/** Grows the log, of one entry, to `size` of them. */
async function fill(url: string, identity: Identity, size: number): Promise<void> {
  const [{ jws }] = (await sql<{ jws: string }>(url, "SELECT jws FROM behest_entry")) as [{ jws: string }];
  const levels = levelsOf(jws, size);
  // So many subtrees end with the entry at i as i + 1 has zeros at its end, and the entry itself.
  await sql(
    url,
    `INSERT INTO behest_entry (idx, nodes, jws)
     SELECT i, substring($1::bytea FROM 1 FOR 32 * length(to_bin((i + 1) & -(i + 1)))), repeat('x', ${FILLER})
     FROM generate_series(1, $2::bigint - 1) i`,
    [Buffer.concat(levels), size],
  );
  await sql(
    url,
    `INSERT INTO behest_action (id, args, attempt, repeatable, lease, entry, ended, outcome, code)
     SELECT ${ID}, 'args', 1, true, 'lease', i, i + 1, 'done', 'ok' FROM generate_series(2, $1::bigint - 1, 2) i`,
    [size],
  );
  await sql(
    url,
    `INSERT INTO behest_record
       (idx, action, attempt, session, principal, delegation, tool, verdict, code, at, agent, outcome, ended)
     SELECT entry, id, 1, left(id, 22), entry % 1000, args, 'read_file', 'permit', 'ok', entry,
       decode(repeat('00', 40), 'hex'), 'done', ended FROM behest_action`,
  );
  await sql(url, "UPDATE behest_head SET checkpoint = $1", [checkpointOf(levels, identity, size)]);
  for (const table of ["entry", "action", "record"]) await sql(url, `VACUUM ANALYZE behest_${table}`);
  await sql(url, "CHECKPOINT");
}

async function onServer(measure: (server: Server) => Promise<Figure>): Promise<Figure> {
  await using server = await postgresServer();
  if (!server) throw new Error("there is no PostgreSQL to measure");
  return await measure(server);
}
