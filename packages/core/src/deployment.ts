import type { Holder } from "@behest/delegation";
import type { PublicJwk, Signer } from "@behest/jws";
import type { Manifest } from "@behest/provenance";
import type { Alerts } from "./alert/alerts.ts";
import type { DeferredOutcome } from "./deferred/deferral.ts";
import { BehestError } from "./error.ts";
import type { Policies } from "./policy/prepare.ts";
import type { Profiles } from "./profile/profiles.ts";
import type { Revocations } from "./revocation/revocations.ts";
import type { ListedStatus } from "./revocation/status.ts";
import type { Engine } from "./store/types.ts";
import type { Session } from "./types.ts";

/** Hands a tool's body the credential it calls the world with. The name is recorded, the value never. */
export type Credentials = (
  tool: string,
  session: Session,
) => Promise<{ name: string; value: string } | undefined>;

/** One Behest at work: what every session of it shares. */
export interface Deployment {
  readonly engine: Engine;
  readonly manifest: Manifest;
  /** Whether what is handed to the store now is recorded under this manifest; where not, {@link Deployment.under} waits. */
  readonly isInForce: (manifest: Manifest) => boolean;
  /** Signs span proofs here; the store signs entries with the same key. */
  readonly entryKey: Signer;
  /** When the entry key's certificate runs out, ms since the epoch. */
  readonly until: number;
  /** Runs what writes an entry that holds under the manifest in force: no other is taken up meanwhile. Short. */
  readonly under: <T>(work: () => Promise<T>) => Promise<T>;
  /** Throws `key_readable` for a key that the manifest reserves for another role. */
  readonly apart: (name: string, jwk: PublicJwk) => void;
  /** ms since the epoch. */
  readonly clock: () => number;
  readonly holder: Holder | undefined;
  readonly profiles: Profiles;
  /** Names of tools that were met with a profile of their own. */
  readonly declared: Set<string>;
  readonly policies: Policies | undefined;
  /** False: it opens no session, for persons who look, approve, revoke and erase. */
  readonly runsAgents: boolean;
  /** Whether a tool without a profile is a matter of its grant alone: only in tests. */
  readonly undeclared: "policies" | "grants";
  /** `shadow`: denials are recorded and do not stop. */
  readonly enforce: "enforce" | "shadow";
  readonly credentials: Credentials | undefined;
  readonly revocations: Revocations;
  /** Absent: a delegation with a status is refused. */
  readonly status: ListedStatus | undefined;
  /** Content is kept until erasure; otherwise only what replay needs, until the delegation expires. */
  readonly keep: boolean;
  /** Whether an agent that is another than its delegation binds is only recorded as such. */
  readonly identity: "record" | "refuse";
  readonly alerts: Alerts;
  /** Aborts when Behest closes. */
  readonly closing: AbortSignal;
  /** Writes that nobody waits for; listings and close() do. */
  readonly pending: Set<Promise<unknown>>;
  /** What waits in this process to be made, by action. */
  readonly deferring: Map<string, Promise<DeferredOutcome>>;
  /** Actions whose outcomes were delivered here. */
  readonly told: Set<string>;
  /** Pseudonyms of those who were erased while this process ran, as far as it has noticed. */
  readonly erased: Set<string>;
}

/** Nothing is opened where no agents run, nor any more what could not be recorded verifiably. Throws `config_invalid`, `session_ended`, `trust_invalid`. */
export function refuseOver({ runsAgents, closing, clock, until }: Deployment): void {
  if (!runsAgents)
    throw new BehestError(
      "config_invalid",
      'config_invalid: this Behest runs no agents (policy: "no-agents"). Name its policies.',
    );
  if (closing.aborted) throw new BehestError("session_ended", "session_ended: this Behest is closed.");
  if (clock() >= until)
    throw new BehestError(
      "trust_invalid",
      "trust_invalid: the entry key's certificate has run out, or its enforcer is no longer trusted. Make a new Behest.",
    );
}

/** Lets a write go on unawaited. Its failure shows at the next write, which a broken store refuses as well. */
export function background(deployment: Deployment, write: Promise<unknown>): void {
  const settled = write.then(
    () => {},
    () => {},
  );
  deployment.pending.add(settled);
  void settled.finally(() => deployment.pending.delete(settled));
}
