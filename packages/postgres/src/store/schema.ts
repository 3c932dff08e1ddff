import { CUTS } from "../table.ts";
import { TENANT, isolated } from "../tenant.ts";

/**
 * The tables, each of all tenants. `behest_entry` is the evidence; all else is found again from it, or is content
 * beside it that may go. Times are ms since the epoch. Indexes begin with the tenant, so that each finds its own.
 */
const TABLES = `
  -- nodes: 32-byte hashes of the subtrees that end with this entry, of the entry itself first.
  CREATE TABLE behest_entry (
    ${TENANT}, idx bigint, nodes bytea NOT NULL, jws text NOT NULL, PRIMARY KEY (tenant, idx)
  );

  -- One row a tenant: the last checkpoint; which entries carry the certificate of its key and the manifest in force;
  -- the latest time any transaction has seen.
  CREATE TABLE behest_head (
    ${TENANT}, origin text NOT NULL, checkpoint text NOT NULL, certificate bigint NOT NULL, manifest bigint NOT NULL,
    at bigint NOT NULL, PRIMARY KEY (tenant)
  ) WITH (fillfactor = 50);

  -- One row a process. batch: number of its last transaction that was committed; what a connection that was lost at its
  -- commit leaves in doubt is told by it. So the row outlives the lease, for a day.
  CREATE TABLE behest_lease (
    ${TENANT}, id text, expires bigint NOT NULL, batch bigint NOT NULL, PRIMARY KEY (tenant, id)
  ) WITH (fillfactor = 50);

  -- The latest attempt of each action; outcome is null while it runs. entry, ended: where its entries are, null for a
  -- spawn. given: what args were parsed from. charged: the counters it was added to, a space between.
  CREATE TABLE behest_action (
    ${TENANT}, id text, args text NOT NULL, given text, attempt bigint NOT NULL, repeatable boolean NOT NULL,
    lease text NOT NULL, entry bigint, ended bigint, outcome text, code text, result text, charged text,
    PRIMARY KEY (tenant, id)
  ) WITH (fillfactor = 80);
  CREATE INDEX behest_action_running ON behest_action (tenant, lease) WHERE outcome IS NULL;

  -- One row an action entry, for listings.
  CREATE TABLE behest_record (
    ${TENANT}, idx bigint, action text NOT NULL, attempt bigint NOT NULL, session text NOT NULL, principal text NOT NULL,
    delegation text, tool text NOT NULL, verdict text NOT NULL, code text NOT NULL, at bigint NOT NULL,
    agent bytea NOT NULL, interaction bigint, outcome text, ended bigint, PRIMARY KEY (tenant, idx)
  ) WITH (fillfactor = 90);
  CREATE INDEX behest_record_principal ON behest_record (tenant, principal);
  CREATE INDEX behest_record_session ON behest_record (tenant, session COLLATE "C");

  -- Looked for by the beginnings of keys, too.
  CREATE TABLE behest_once (${TENANT}, key text COLLATE "C", idx bigint NOT NULL, PRIMARY KEY (tenant, key));

  CREATE TABLE behest_delegation (
    ${TENANT}, leaf text, jti text NOT NULL, principal text NOT NULL, request text, sealed bytea NOT NULL,
    idx bigint NOT NULL, PRIMARY KEY (tenant, leaf)
  );
  CREATE INDEX behest_delegation_principal ON behest_delegation (tenant, principal);
  CREATE INDEX behest_delegation_jti ON behest_delegation (tenant, jti);
  CREATE UNIQUE INDEX behest_delegation_spawned ON behest_delegation (tenant, jti) WHERE request IS NOT NULL;

  -- What lies beside the entry at idx, in its order.
  CREATE TABLE behest_content (
    ${TENANT}, idx bigint, place bigint, id text NOT NULL, principal text NOT NULL, sealed bytea NOT NULL, until bigint,
    PRIMARY KEY (tenant, idx, place)
  );
  CREATE INDEX behest_content_principal ON behest_content (tenant, principal);
  CREATE INDEX behest_content_until ON behest_content (tenant, until) WHERE until IS NOT NULL;

  -- The same of spawns, which have no entry.
  CREATE TABLE behest_spawned (
    ${TENANT}, action text, id text, principal text NOT NULL, sealed bytea NOT NULL, until bigint,
    PRIMARY KEY (tenant, action, id)
  );
  CREATE INDEX behest_spawned_principal ON behest_spawned (tenant, principal);
  CREATE INDEX behest_spawned_until ON behest_spawned (tenant, until) WHERE until IS NOT NULL;

  -- Decimals, as text.
  CREATE TABLE behest_counter (
    ${TENANT}, id text, held text NOT NULL, until bigint NOT NULL, PRIMARY KEY (tenant, id)
  ) WITH (fillfactor = 50);
  CREATE INDEX behest_counter_until ON behest_counter (tenant, until);

  CREATE TABLE behest_journal (
    ${TENANT}, run text, key text, sealed bytea NOT NULL, principal text NOT NULL, until bigint NOT NULL,
    idx bigint NOT NULL, PRIMARY KEY (tenant, run, key)
  );
  CREATE INDEX behest_journal_principal ON behest_journal (tenant, principal);
  CREATE INDEX behest_journal_until ON behest_journal (tenant, until);

  CREATE TABLE behest_principal (
    ${TENANT}, pseudonym text, issuer text NOT NULL, subject text NOT NULL, key bytea NOT NULL,
    PRIMARY KEY (tenant, pseudonym), UNIQUE (tenant, issuer, subject)
  );

  CREATE INDEX behest_principal_subject ON behest_principal (tenant, subject);

  -- Actions that wait for persons (kind "ask"), and what was signed ahead of them. idx: of the entry that asks, or that
  -- was signed first. behest_decision: of the entries of what was handed in.
  CREATE TABLE behest_approval (
    ${TENANT}, id text, kind text NOT NULL, args text NOT NULL, principal text NOT NULL, run text, sealed bytea NOT NULL,
    expires bigint NOT NULL, idx bigint NOT NULL, spent boolean NOT NULL, PRIMARY KEY (tenant, id)
  );
  CREATE INDEX behest_approval_principal ON behest_approval (tenant, principal);
  CREATE INDEX behest_approval_run ON behest_approval (tenant, run) WHERE run IS NOT NULL;
  CREATE INDEX behest_approval_pending ON behest_approval (tenant, expires) WHERE kind = 'ask' AND NOT spent;
  CREATE INDEX behest_approval_ahead ON behest_approval (tenant, expires) WHERE kind <> 'ask';
  CREATE TABLE behest_decision (${TENANT}, approval text, idx bigint, PRIMARY KEY (tenant, approval, idx));

  -- Proofs of calls that were permitted: none of them permits another.
  CREATE TABLE behest_spent (${TENANT}, id text, until bigint NOT NULL, PRIMARY KEY (tenant, id));
  CREATE INDEX behest_spent_until ON behest_spent (tenant, until);

  -- The newest checkpoint that witnesses have cosigned, and the size of its log.
  CREATE TABLE behest_cosigned (${TENANT}, size bigint NOT NULL, note text NOT NULL, PRIMARY KEY (tenant));

  -- Texts that entries name by their digest.
  CREATE TABLE behest_document (${TENANT}, digest text, text text NOT NULL, PRIMARY KEY (tenant, digest));

  CREATE TABLE behest_seen (
    ${TENANT}, tool text, kind text, declared boolean NOT NULL, at bigint NOT NULL, PRIMARY KEY (tenant, tool, kind)
  );`;

const NAMES = TABLES.match(/(?<=CREATE TABLE )behest_\w+/g) ?? [];

/** What erasure destroys, with its types. */
const ERASED = {
  principal: { issuer: "text", subject: "text", key: "bytea" },
  delegation: { sealed: "bytea" },
  content: { sealed: "bytea" },
  spawned: { sealed: "bytea" },
  journal: { sealed: "bytea" },
  approval: { sealed: "bytea" },
  record: { agent: "bytea" },
  counter: { held: "text" },
  cut: { jws: "text" },
};

/**
 * The server keeps samples of columns for its plans, keys and names among them, which no vacuum removes. Of these it has
 * none; what it has is dropped as a column gets a type, though it be its own.
 */
const UNSAMPLED = Object.entries(ERASED).flatMap(([table, columns]) =>
  Object.entries(columns).map(
    ([column, type]) =>
      `ALTER TABLE behest_${table} ALTER ${column} TYPE ${type}, ALTER ${column} SET STATISTICS 0;`,
  ),
);

/** What brings the tables from each version to the next: appended to, never changed. */
const MIGRATIONS: readonly string[] = [
  [CUTS, TABLES, ...NAMES.map(isolated)].join("\n"),
  UNSAMPLED.join("\n"),
];

export const VERSION: number = MIGRATIONS.length;

/** SQL that brings them from `version`, 0 where there are none, to {@link VERSION}. */
export function migrationFrom(version: number): string {
  return [
    "CREATE TABLE IF NOT EXISTS behest_schema (version bigint NOT NULL);",
    ...MIGRATIONS.slice(version),
    `DELETE FROM behest_schema; INSERT INTO behest_schema (version) VALUES (${VERSION});`,
  ].join("\n");
}
