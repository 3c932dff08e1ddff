/** "bhst": in the header of the file, so that no other program's database is ever written to. */
export const APPLICATION_ID = 0x62687374;
export const VERSION = 4;

/**
 * `entry` is the evidence; all else is found again from it, or is content beside it that may go.
 * `entry.nodes`: 32-byte hashes of the subtrees that end with this entry, of the entry itself first, so that
 * the tree only ever grows at its end and needs no pages of its own.
 */
export const SCHEMA = `
  CREATE TABLE entry (idx INTEGER PRIMARY KEY, nodes BLOB NOT NULL, jws TEXT NOT NULL) STRICT;

  -- One row: the last checkpoint; which entries carry the certificate of its key and the manifest in force;
  -- the latest time any transaction has seen, ms.
  CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1), origin TEXT NOT NULL, checkpoint TEXT NOT NULL,
    certificate INTEGER NOT NULL, manifest INTEGER NOT NULL, at INTEGER NOT NULL
  ) STRICT;

  -- The latest attempt of each action; outcome is null while it runs. entry, ended: where its entries are, null
  -- for a spawn. given: what args were parsed from, where that is known. charged: names of the counters it was added to, a space between, null where none.
  CREATE TABLE action (
    id TEXT PRIMARY KEY, args TEXT NOT NULL, given TEXT, attempt INTEGER NOT NULL, repeatable INTEGER NOT NULL,
    lease INTEGER NOT NULL, entry INTEGER, ended INTEGER, outcome TEXT, code TEXT, result TEXT, charged TEXT
  ) STRICT;
  CREATE INDEX action_running ON action (lease) WHERE outcome IS NULL;

  -- One row an action entry, for listings. Each index is one more page to sync with every action; the tool and
  -- the time are looked for from the newest row on.
  CREATE TABLE record (
    idx INTEGER PRIMARY KEY, action TEXT NOT NULL, attempt INTEGER NOT NULL, session TEXT NOT NULL,
    principal TEXT NOT NULL, delegation TEXT, tool TEXT NOT NULL, verdict TEXT NOT NULL,
    code TEXT NOT NULL, at INTEGER NOT NULL, agent BLOB NOT NULL, interaction INTEGER, outcome TEXT, ended INTEGER
  ) STRICT;
  CREATE INDEX record_session ON record (session);

  CREATE TABLE once (key TEXT PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE delegation (
    leaf TEXT PRIMARY KEY, jti TEXT NOT NULL, principal TEXT NOT NULL, request TEXT, sealed BLOB NOT NULL,
    idx INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX delegation_jti ON delegation (jti);
  CREATE UNIQUE INDEX delegation_spawned ON delegation (jti) WHERE request IS NOT NULL;

  -- slot: 64 × index of the entry it lies beside + its place there, so that it is written in order too.
  CREATE TABLE content (
    slot INTEGER PRIMARY KEY, id TEXT NOT NULL, principal TEXT NOT NULL, sealed BLOB NOT NULL, until INTEGER
  ) STRICT;
  CREATE INDEX content_until ON content (until) WHERE until IS NOT NULL;

  -- The same of spawns, which have no entry.
  CREATE TABLE spawned (
    action TEXT NOT NULL, id TEXT NOT NULL, principal TEXT NOT NULL, sealed BLOB NOT NULL, until INTEGER,
    PRIMARY KEY (action, id)
  ) STRICT;
  CREATE INDEX spawned_until ON spawned (until) WHERE until IS NOT NULL;

  -- Decimals, as text: no binary fraction ever holds an amount. until: ms since the epoch.
  CREATE TABLE counter (id TEXT PRIMARY KEY, held TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX counter_until ON counter (until);

  CREATE TABLE journal (
    run TEXT NOT NULL, key TEXT NOT NULL, sealed BLOB NOT NULL, principal TEXT NOT NULL, until INTEGER NOT NULL,
    idx INTEGER NOT NULL, PRIMARY KEY (run, key)
  ) STRICT;
  CREATE INDEX journal_until ON journal (until);

  CREATE TABLE principal (
    pseudonym TEXT PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL, key BLOB NOT NULL,
    UNIQUE (issuer, subject)
  ) STRICT;

  -- Actions that wait for persons (kind "ask"), and what was signed ahead of them. idx: of the entry that asks, or
  -- that was signed first. decision: of the entries of what was handed in.
  CREATE TABLE approval (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, args TEXT NOT NULL, principal TEXT NOT NULL, run TEXT,
    sealed BLOB NOT NULL, expires INTEGER NOT NULL, idx INTEGER NOT NULL, spent INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX approval_run ON approval (run) WHERE run IS NOT NULL;
  CREATE INDEX approval_pending ON approval (expires) WHERE kind = 'ask' AND spent = 0;
  CREATE INDEX approval_ahead ON approval (expires) WHERE kind <> 'ask';
  CREATE TABLE decision (
    approval TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (approval, idx)
  ) STRICT, WITHOUT ROWID;

  -- owner: see process.ts; null where the platform cannot name a process.
  CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT, expires INTEGER NOT NULL) STRICT;

  CREATE TABLE seen (
    tool TEXT NOT NULL, kind TEXT NOT NULL, declared INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (tool, kind)
  ) STRICT, WITHOUT ROWID;
`;

/** Came later than the rest, so it is added to a database that lacks it; an older Behest does not look at it. */
export const ADDED = `
  -- Proofs of calls that were permitted, until ms since the epoch: none of them permits another.
  CREATE TABLE IF NOT EXISTS spent (id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS spent_until ON spent (until);
  -- One row: the newest checkpoint that witnesses have cosigned, and the size of its log.
  CREATE TABLE IF NOT EXISTS cosigned (
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, note TEXT NOT NULL
  ) STRICT;
  -- Texts that entries name by their digest.
  CREATE TABLE IF NOT EXISTS document (digest TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;
