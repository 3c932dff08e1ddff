import type { Holder, KeySetFetch } from "@behest/delegation";
import type { Signer } from "@behest/jws";
import type { AlertOptions } from "./alert/alert.ts";
import { Alerts } from "./alert/alerts.ts";
import { approvalsOf } from "./approval/approvals.ts";
import { checkOptions } from "./config-check.ts";
import type { Credentials, Deployment } from "./deployment.ts";
import { erase } from "./erasure/erase.ts";
import { holdsOf } from "./erasure/holds.ts";
import { BehestError } from "./error.ts";
import { Enrolment } from "./enrolment.ts";
import { takeUp } from "./take-up.ts";
import type { Trust } from "./trust.ts";
import { prune } from "./prune/prune.ts";
import { EntryLogs } from "./record/entry-logs.ts";
import { joinRecord } from "./record/joined.ts";
import { observer } from "./session/observe.ts";
import { openSession } from "./session/open.ts";
import { NO_AGENTS, policiesOf, refuseUnlisted, warnOfShortages } from "./policy/policed.ts";
import { type Profiles, readProfiles } from "./profile/profiles.ts";
import { accesses, readingAs } from "./record/reading.ts";
import { listRecords } from "./record/records.ts";
import type { Feed } from "./revocation/feed.ts";
import { admit } from "./revocation/admission.ts";
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
   * grants is permitted. `"no-agents"`: this process opens no session, for persons who look, approve, revoke and erase,
   * whichever policies the trust manifest lists. A policy that does not type-check ends it with `policy_invalid`: file, line, column and
   * reason. Of a group that has fewer approvers than a policy asks for, a process warning `BEHEST_NO_APPROVER` tells.
   */
  policy?: "default" | "grants-alone" | "no-agents" | (string & Record<never, never>);
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
  /** How long an entry key is certified for, seconds; when two thirds are over another takes its place. Default: 90 days. */
  entryKeyLifetime?: number;
  /** ms since the epoch; default `Date.now`. */
  clock?: () => number;
}

/** Attaches to the store and answers with a Behest. Throws `trust_invalid`, `config_invalid`, `key_readable`, `profiles_invalid`, `policy_…`, `store_…`. */
export async function createFrom(
  config: BehestConfig,
  undeclared: Deployment["undeclared"] = "policies",
): Promise<Behest> {
  checkOptions(config);
  const clock = config.clock ?? Date.now;
  const enrolment = await Enrolment.make(config.trust, {
    signer: config.signer,
    holder: config.holder,
    clock,
    lifetime: config.entryKeyLifetime,
  });
  const profiles = typeof config.profiles === "string" ? readProfiles(config.profiles) : config.profiles;
  const policies = await policiesOf(config.policy);
  const runsAgents = config.policy !== NO_AGENTS;
  refuseUnlisted({ policies, runsAgents }, enrolment.manifest);
  if (policies) warnOfShortages(policies, enrolment.manifest);
  const enforce = enforceOf(config.enforce);
  const witnesses = witnessesOf(config.witnesses);
  const { origin } = enrolment.manifest;
  const alerts = new Alerts(origin, clock, config.alerts);
  const own = config.store[engineOf];
  const entryLogs =
    config.logs === "entries" ? new EntryLogs(own, (kid) => enrolment.signedWith(kid)) : undefined;
  const watch = <T>(write: Promise<T>): Promise<T> => alerts.watch(write.finally(() => entryLogs?.look()));
  const engine = entryLogs || config.alerts ? watched(own, watch) : own;
  await alerts.watch(engine.attach(enrolment.identity)).catch(async (error: unknown) => {
    await alerts.close();
    throw error;
  });
  await entryLogs?.start();
  if (policies) await engine.keepDocument(policies.digest, policies.document);
  const closing = new AbortController();
  const revocations = new Revocations({
    own: engine.feed,
    shared: config.feed,
    get manifest() {
      return enrolment.manifest;
    },
    clock,
    record: ({ jws }) =>
      enrolment.under(async () => {
        const { manifest } = enrolment;
        // Its revoker may have been withdrawn since it came in: it stays in force, and the log cannot take it in.
        const admitted = await admit(jws, manifest, "before").catch(() => undefined);
        if (admitted?.holds) await record({ engine, manifest, clock }, admitted);
      }),
    recorded: () => recorded(engine),
    refused: (error) => alerts.note(error),
  });
  await alerts.watch(revocations.start()).catch(async (error: unknown) => {
    await Promise.all([engine.close(), config.feed?.close(), alerts.close()]);
    throw error;
  });
  const listed = (): Deployment["status"] => listedStatus(config.status, enrolment.manifest, clock);
  let status = listed();
  const deployment: Deployment = {
    engine,
    get manifest() {
      return enrolment.manifest;
    },
    get entryKey() {
      return enrolment.entryKey;
    },
    get until() {
      return enrolment.until;
    },
    isInForce: (manifest) => enrolment.isInForce(manifest),
    under: (work) => enrolment.under(work),
    apart: (name, jwk) => enrolment.apart(name, { jwk }),
    clock,
    holder: config.holder,
    profiles: profiles ?? {},
    declared: new Set(),
    policies,
    runsAgents,
    undeclared,
    enforce,
    credentials: config.credentials,
    revocations,
    get status() {
      return status;
    },
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
  enrolment.start(engine);
  const conflict = (): void => alerts.failed("witness_conflict");
  const keeper = witnesses && new HeadKeeper({ engine, origin, signer: config.signer, witnesses, conflict });
  const close = async (): Promise<void> => {
    closing.abort(new BehestError("session_ended", "session_ended: this Behest was closed."));
    revocations.close();
    await enrolment.stop();
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
    trust: (manifest) =>
      takeUp({ enrolment, deployment }, manifest, () => {
        status = listed();
        if (policies) warnOfShortages(policies, enrolment.manifest);
      }),
    revoke: ({ jws }) => alerts.watch(revocations.submit(jws)),
    revocations: () =>
      revocationsIn(
        { feed: config.feed ?? engine.feed, manifest: enrolment.manifest, engine },
        Math.floor(clock() / 1000),
      ),
    erase: (request) => erase(deployment, feeds, request),
    prune: (request) => prune(deployment, request),
    holds: holdsOf(deployment),
    witnessed: () => witnessedIn(engine, [...enrolment.manifest.witnesses, ...(witnesses?.list ?? [])]),
    readingAs: (person) => readingAs(deployment, person),
    accesses: () => accesses(deployment),
    replay: spentIn(engine),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function enforceOf(enforce: BehestConfig["enforce"] = "enforce"): Deployment["enforce"] {
  if (enforce === "shadow")
    process.emitWarning(
      'enforce: "shadow": NOTHING IS STOPPED. What grants and policies would deny is only recorded. Remove it before anything real runs here.',
      { code: "BEHEST_SHADOW" },
    );
  return enforce;
}
