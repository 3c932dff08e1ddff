import type { Holder, KeySetFetch } from "@behest/delegation";
import { type PrivateJwk, type Signer, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, ProvenanceError, certifyEntryKey, readCertificate } from "@behest/provenance";
import type { AlertOptions } from "./alert/alert.ts";
import { Alerts } from "./alert/alerts.ts";
import { approvalsOf } from "./approval/approvals.ts";
import type { Credentials, Deployment } from "./deployment.ts";
import { erase } from "./erasure/erase.ts";
import { holdsOf } from "./erasure/holds.ts";
import { BehestError } from "./error.ts";
import { type Trust, trusted } from "./trust.ts";
import { EntryLogs } from "./record/entry-logs.ts";
import { joinRecord } from "./record/joined.ts";
import { observer } from "./session/observe.ts";
import { openSession } from "./session/open.ts";
import { policiesOf, warnOfShortages } from "./policy/policed.ts";
import { type Profiles, readProfiles } from "./profile/profiles.ts";
import { accesses, readingAs } from "./record/reading.ts";
import { listRecords } from "./record/records.ts";
import type { Feed } from "./revocation/feed.ts";
import { record, recorded } from "./revocation/entry.ts";
import { revocationsIn } from "./revocation/listing.ts";
import { Revocations } from "./revocation/revocations.ts";
import { listedStatus } from "./revocation/status.ts";
import { spentIn } from "./store/spent.ts";
import { watched } from "./store/watched.ts";
import { type Store, engine as engineOf } from "./store/types.ts";
import type { Behest } from "./types.ts";
import { type WitnessesConfig, witnessesOf } from "./witness/config.ts";
import { HeadKeeper } from "./witness/keeper.ts";
import { witnessedIn } from "./witness/witnessed.ts";

export interface BehestConfig {
  trust: Trust;
  /** The enforcer's key (KMS or file): certifies this process's entry keys and, where there are witnesses, signs the heads that are submitted to them. */
  signer: Signer;
  store: Store;
  /** The agent's key, unless `open` is given one. */
  holder?: Holder;
  /** For tools you do not own (MCP), or a JSON file of them (see docs/policy.md); beside your own: `withProfile`. */
  profiles?: string | Profiles;
  /**
   * A folder of Cedar policies. Default: `"default"`, those that we ship: what cannot be undone or leaves the boundary
   * waits for a person, and so does a tool without a profile. `"grants-alone"`: there are none, and what a delegation
   * grants is permitted. A policy that does not type-check ends it with `policy_invalid`: file, line, column and
   * reason. Of a group that has fewer approvers than a policy asks for, a process warning `BEHEST_NO_APPROVER` tells.
   */
  policy?: "default" | "grants-alone" | (string & Record<never, never>);
  /**
   * `shadow`: what identity, grants, profiles and policies would deny is recorded with the finding that would have
   * stopped it, and runs all the same. For a first day; warned of at start and marked in every record and span.
   * Default: `enforce`.
   */
  enforce?: "enforce" | "shadow";
  credentials?: Credentials;
  /** Where cuts come from and go to; default: the store's own. Several machines share one, such as `postgresFeed(url)`; `close` closes it. */
  feed?: Feed;
  /**
   * How the status lists of issuers are fetched, such as `fetch` itself; it must not follow redirects. What a list
   * says is then looked at before each action and model turn, never older than its `ttl`. Default: a delegation that
   * has a `status` is refused.
   */
  status?: KeySetFetch;
  /** `digest` (default): arguments, prompts and results are committed to, and kept only as long as replay needs them. `keep`: kept, encrypted, until erasure. */
  content?: "digest" | "keep";
  /**
   * Who is shown the log's heads now and then, so that nobody can shorten or rewrite it unnoticed (C2SP tlog-witness).
   * In the background: no action waits for it. `BEHEST_WITNESS` warns where too few can be had, `BEHEST_WITNESS_CONFLICT`
   * where one has seen another log than this. Default: nobody.
   */
  witnesses?: WitnessesConfig;
  /**
   * Told of bursts of denials, of break-glass and of what fails verification; nothing waits for it, and nothing fails
   * by it. `close` gives it 5 s. Default: metrics alone.
   */
  alerts?: AlertOptions;
  /** `"entries"`: one OpenTelemetry LogRecord for each entry of the log, without content. Default: none. */
  logs?: "entries";
  /** An agent that is not the one its delegation binds: a finding in every record (default), or a denial. */
  identity?: "record" | "refuse";
  /** ms since the epoch; default `Date.now`. */
  clock?: () => number;
}

/** How long an entry key signs, seconds: restart the process, or make a new Behest, before. */
const ENTRY_KEY_LIFETIME = 90 * 86_400;

/** Attaches to the store and answers with a Behest. Throws `trust_invalid`, `config_invalid`, `key_readable`, `profiles_invalid`, `policy_…`, `store_…`. */
export async function createFrom(
  config: BehestConfig,
  undeclared: Deployment["undeclared"] = "policies",
): Promise<Behest> {
  const clock = config.clock ?? Date.now;
  const { jws, manifest } = await trusted(config.trust);
  const apart = apartFrom(manifest, config.trust.owner);
  apart("signer", config.signer.jwk);
  if (config.holder) apart("holder", config.holder.jwk);
  const profiles = typeof config.profiles === "string" ? readProfiles(config.profiles) : config.profiles;
  const policies = await policiesOf(config.policy);
  if (policies) warnOfShortages(policies, manifest);
  const enforce = enforceOf(config.enforce);
  const witnesses = witnessesOf(config.witnesses);
  const entryKey = await generatePrivateJwk();
  const from = Math.floor(clock() / 1000);
  const until = from + ENTRY_KEY_LIFETIME;
  const certificate = await certified(config.signer, entryKey, manifest, { from, until });
  const alerts = new Alerts(manifest.origin, clock, config.alerts);
  const own = config.store[engineOf];
  const entryLogs = config.logs === "entries" ? new EntryLogs(own, thumbprint(entryKey)) : undefined;
  const watch = <T>(write: Promise<T>): Promise<T> => alerts.watch(write.finally(() => entryLogs?.look()));
  const engine = entryLogs || config.alerts ? watched(own, watch) : own;
  await alerts
    .watch(engine.attach({ origin: manifest.origin, manifest: jws, entryKey, certificate }))
    .catch(async (error: unknown) => {
      await alerts.close();
      throw error;
    });
  await entryLogs?.start();
  if (policies) await engine.keepDocument(policies.digest, policies.document);
  const closing = new AbortController();
  const revocations = new Revocations({
    own: engine.feed,
    shared: config.feed,
    manifest,
    clock,
    record: (admitted) => record({ engine, manifest, clock }, admitted),
    recorded: () => recorded(engine),
    refused: (error) => alerts.note(error),
  });
  await alerts.watch(revocations.start()).catch(async (error: unknown) => {
    await Promise.all([engine.close(), config.feed?.close(), alerts.close()]);
    throw error;
  });
  const deployment: Deployment = {
    engine,
    manifest,
    entryKey: signerOf(entryKey),
    until: until * 1000,
    apart,
    clock,
    holder: config.holder,
    profiles: profiles ?? {},
    declared: new Set(),
    policies,
    undeclared,
    enforce,
    credentials: config.credentials,
    revocations,
    status: listedStatus(config.status, manifest, clock),
    keep: config.content === "keep",
    identity: config.identity ?? "record",
    alerts,
    closing: closing.signal,
    pending: new Set(),
    deferring: new Map(),
    told: new Set(),
    erased: new Set(),
  };
  const feeds = config.feed ? [config.feed, engine.feed] : [engine.feed];
  const { origin } = manifest;
  const conflict = (): void => alerts.failed("witness_conflict");
  const keeper = witnesses && new HeadKeeper({ engine, origin, signer: config.signer, witnesses, conflict });
  const close = async (): Promise<void> => {
    closing.abort(new BehestError("session_ended", "session_ended: this Behest was closed."));
    revocations.close();
    await Promise.all(deployment.deferring.values());
    await Promise.all(deployment.pending);
    await keeper?.stop();
    await entryLogs?.close();
    await Promise.all([engine.close(), config.feed?.close(), alerts.close()]);
  };
  const approvals = approvalsOf(deployment);
  return {
    open: async (delegation, options = {}) =>
      (await alerts.watch(openSession(deployment, delegation, options))).facade,
    observe: observer(deployment),
    approvals: {
      ...approvals,
      submit: (ids, decision) => alerts.watch(approvals.submit(ids, decision)),
      submitAhead: (signed) => alerts.watch(approvals.submitAhead(signed)),
    },
    records: {
      async list(filter) {
        await Promise.all(deployment.pending);
        return listRecords(engine, filter);
      },
      async get(index) {
        await Promise.all(deployment.pending);
        return alerts.watch(joinRecord(engine, index));
      },
    },
    revoke: ({ jws }) => alerts.watch(revocations.submit(jws)),
    revocations: () =>
      revocationsIn({ feed: config.feed ?? engine.feed, manifest, engine }, Math.floor(clock() / 1000)),
    erase: (request) => erase(deployment, feeds, request),
    holds: holdsOf(deployment),
    witnessed: () => witnessedIn(engine, [...manifest.witnesses, ...(witnesses?.list ?? [])]),
    readingAs: (person) => readingAs(deployment, person),
    accesses: () => accesses(deployment),
    replay: spentIn(engine),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function enforceOf(enforce: BehestConfig["enforce"] = "enforce"): Deployment["enforce"] {
  if (enforce !== "enforce" && enforce !== "shadow")
    throw new BehestError("config_invalid", 'config_invalid: enforce is "enforce" or "shadow".');
  if (enforce === "shadow")
    process.emitWarning(
      'enforce: "shadow": NOTHING IS STOPPED. What grants and policies would deny is only recorded. Remove it before anything real runs here.',
      { code: "BEHEST_SHADOW" },
    );
  return enforce;
}

async function certified(
  enforcer: Signer,
  entryKey: PrivateJwk,
  manifest: Manifest,
  term: { readonly from: number; readonly until: number },
): Promise<string> {
  const { kty, crv, x } = entryKey;
  try {
    const request = { jwk: { kty, crv, x }, origin: manifest.origin, ...term };
    const certificate = await certifyEntryKey(request, enforcer);
    await readCertificate(certificate, manifest);
    return certificate;
  } catch (cause) {
    if (!(cause instanceof ProvenanceError))
      throw new BehestError("config_invalid", "config_invalid: the signer could not certify an entry key.", {
        cause,
      });
    throw new BehestError("trust_invalid", `trust_invalid: ${cause.message}.`, { cause });
  }
}

/** A process that enforces holds no key that could issue, approve, revoke, attest, or change who is trusted. */
function apartFrom(manifest: Manifest, owner: string): Deployment["apart"] {
  const { issuers, approvers, revokers, deployers = [], witnesses } = manifest;
  const roles = [...issuers, ...approvers, ...revokers, ...deployers, ...witnesses];
  const reserved = new Set(roles.flatMap(({ jwk }) => (jwk ? [thumbprint(jwk)] : [])).concat(owner));
  return (name, jwk) => {
    if (reserved.has(thumbprint(jwk)))
      throw new BehestError(
        "key_readable",
        `key_readable: "${name}" is a key that owns, issues, approves, revokes, attests or witnesses. The enforcing process must not hold it.`,
      );
  };
}
