import { type PrivateJwk, type Signer, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import {
  type Manifest,
  ProvenanceError,
  certifyEntryKey,
  checkChange,
  readCertificate,
  trustHash,
} from "@behest/provenance";
import { BehestError } from "./error.ts";
import type { Engine, Identity } from "./store/types.ts";
import { type Trust, trusted } from "./trust.ts";

/** How long an entry key signs, seconds. */
const LIFETIME = 90 * 86_400;
/** It is followed by another when so much of that is over. */
const SHARE = 2 / 3;
/** How often that is looked at, ms, at least: timers are no longer than 24 days. */
const LOOK = 3_600_000;

interface Parts {
  /** Thumbprint of the pinned owner. */
  readonly owner: string;
  /** The enforcer's. */
  readonly signer: Signer;
  /** The agents', where all sessions have the same. */
  readonly holder?: Pick<Signer, "jwk"> | undefined;
  /** ms since the epoch. */
  readonly clock: () => number;
  /** Of an entry key, seconds. */
  readonly lifetime?: number | undefined;
}

/** What one entry key is certified for. */
interface Current {
  readonly jws: string;
  readonly manifest: Manifest;
  readonly entryKey: PrivateJwk;
  readonly certificate: string;
  /** Seconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

/** Under which manifest and with which entry key this process records; both change while it runs. */
export class Enrolment {
  readonly #parts: Parts;
  readonly #lifetime: number;
  #current: Current;
  #signer: Signer;
  readonly #kids = new Set<string>();
  #engine: Engine | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** One change at a time. */
  #changing: Promise<unknown> = Promise.resolve();
  /** What runs {@link under} the manifest in force, and the change to another that waits for it. */
  readonly #working = new Set<Promise<void>>();
  #taking: Promise<void> | undefined;
  #warned = false;
  /** A later version no longer trusts this process's enforcer. */
  #isWithdrawn = false;

  private constructor(parts: Parts, lifetime: number, current: Current) {
    this.#parts = parts;
    this.#lifetime = lifetime;
    this.#current = current;
    this.#signer = signerOf(current.entryKey);
    this.#kids.add(thumbprint(this.#signer.jwk));
  }

  /** Certifies a first entry key. Throws `trust_invalid`, `config_invalid`, `key_readable`. */
  static async make(trust: Trust, parts: Omit<Parts, "owner">): Promise<Enrolment> {
    const { lifetime = LIFETIME } = parts;
    if (!Number.isSafeInteger(lifetime) || lifetime < 1)
      throw new BehestError(
        "config_invalid",
        "config_invalid: entryKeyLifetime is whole seconds, from 1 on.",
      );
    const { jws, manifest } = await trusted(trust);
    const all = { ...parts, owner: trust.owner };
    refuseRoles(manifest, all);
    return new Enrolment(all, lifetime, await certified(all, lifetime, { jws, manifest }));
  }

  get manifest(): Manifest {
    return this.#current.manifest;
  }

  /** Signs span proofs here; the store signs entries with the same key. */
  get entryKey(): Signer {
    return this.#signer;
  }

  /** Whether what is handed to the store now is recorded under this manifest: it is in force, and no other is being taken up. */
  isInForce(manifest: Manifest): boolean {
    return !this.#taking && manifest === this.manifest;
  }

  /** When the entry key's certificate runs out, ms since the epoch. */
  get until(): number {
    return this.#isWithdrawn ? 0 : this.#current.until * 1000;
  }

  /** Whether this is, or was, the key of this process: RFC 7638 thumbprint. */
  signedWith(kid: string): boolean {
    return this.#kids.has(kid);
  }

  /** What a store is attached with. */
  get identity(): Identity {
    return identityOf(this.#current);
  }

  /** Throws `key_readable` for a key that the manifest reserves for another role. */
  apart(name: string, key: Pick<Signer, "jwk">): void {
    refuseRole(this.manifest, this.#parts.owner, name, key);
  }

  /**
   * Runs what writes an entry that only holds under the manifest it was judged by: none is taken up before it ends. Short,
   * and asks nobody outside: who waits for it may be withdrawing a lost key.
   */
  async under<T>(work: () => Promise<T>): Promise<T> {
    while (this.#taking) await this.#taking;
    const working = work();
    const settled = working.then(
      () => {},
      () => {},
    );
    this.#working.add(settled);
    void settled.then(() => this.#working.delete(settled));
    return working;
  }

  /** The store is attached: from now on the key is followed by another before it ends. */
  start(engine: Engine): void {
    this.#engine = engine;
    const look = Math.max(1, Math.min(LOOK, (this.#lifetime * 1000) / 12));
    this.#timer = setInterval(() => void this.#look(), look).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#changing;
  }

  /**
   * Takes up the manifest, which is the next version or the one that is in force in the log. `true` where it is another
   * than before. `suits` throws where this process cannot go on under it; `taken` is done before anything that is judged by
   * it is written. Throws what `suits` does, `trust_invalid`, `key_readable`: then
   * nothing has changed, but that a process whose enforcer or policies the next version leaves out is over ({@link Enrolment.until}).
   */
  take(
    manifest: Trust["manifest"],
    suits: (next: Manifest) => void,
    taken: () => Promise<void>,
  ): Promise<boolean> {
    return this.#change(async () => {
      const next = await trusted({ owner: this.#parts.owner, manifest });
      if (next.jws === this.#current.jws) return false;
      if (next.manifest.origin !== this.manifest.origin)
        throw new BehestError("trust_invalid", "trust_invalid: it is the trust manifest of another log.");
      refuseRoles(next.manifest, this.#parts);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#taking = promise;
      try {
        await Promise.all(this.#working);
        suits(next.manifest);
        await this.#rotate(next);
        await taken();
      } catch (error) {
        this.#isWithdrawn ||= isLeftOut(error) && (await this.#isNext(next.manifest));
        throw error;
      } finally {
        this.#taking = undefined;
        resolve();
      }
      return true;
    });
  }

  /** One that comes later still changes nothing either: each is taken up in turn. */
  async #isNext(manifest: Manifest): Promise<boolean> {
    const follows = manifest.seq === this.manifest.seq + 1 && manifest.prev === trustHash(this.#current.jws);
    if (!follows) return false;
    return checkChange(this.manifest, manifest).then(
      () => true,
      () => false,
    );
  }

  async #look(): Promise<void> {
    const { from, until } = this.#current;
    if (this.#parts.clock() / 1000 < from + (until - from) * SHARE) return;
    try {
      await this.#change(() => this.#rotate(this.#current));
      this.#warned = false;
    } catch (error) {
      if (this.#warned) return;
      this.#warned = true;
      const code = BehestError.isInstance(error) ? error.code : "store_failed";
      process.emitWarning(
        `${code}: no other entry key could be certified. It is tried again; when the one in use ends, nothing starts any more.`,
        { code: "BEHEST_ENTRY_KEY" },
      );
    }
  }

  async #rotate(under: Pick<Current, "jws" | "manifest">): Promise<void> {
    const next = await certified(this.#parts, this.#lifetime, under);
    const signer = signerOf(next.entryKey);
    this.#kids.add(thumbprint(signer.jwk));
    await this.#engine!.rotate(identityOf(next));
    this.#current = next;
    this.#signer = signer;
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => {});
    return done;
  }
}

/** The version does not trust this process's enforcer, or does not let its policies decide. */
function isLeftOut(error: unknown): boolean {
  if (BehestError.isInstance(error) && error.code === "policy_invalid") return true;
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof ProvenanceError && cause.code === "enforcer_not_trusted";
}

function identityOf({ jws, manifest: { origin }, entryKey, certificate }: Current): Identity {
  return { origin, manifest: jws, entryKey, certificate };
}

async function certified(
  { signer, clock }: Omit<Parts, "owner">,
  lifetime: number,
  { jws, manifest }: Pick<Current, "jws" | "manifest">,
): Promise<Current> {
  const entryKey = await generatePrivateJwk();
  const { kty, crv, x } = entryKey;
  const from = Math.floor(clock() / 1000);
  const until = from + lifetime;
  try {
    const request = { jwk: { kty, crv, x }, origin: manifest.origin, from, until };
    const certificate = await certifyEntryKey(request, signer);
    await readCertificate(certificate, manifest);
    return { jws, manifest, entryKey, certificate, from, until };
  } catch (cause) {
    if (!(cause instanceof ProvenanceError))
      throw new BehestError("config_invalid", "config_invalid: the signer could not certify an entry key.", {
        cause,
      });
    throw new BehestError("trust_invalid", `trust_invalid: ${cause.message}.`, { cause });
  }
}

function refuseRoles(manifest: Manifest, { owner, signer, holder }: Parts): void {
  refuseRole(manifest, owner, "signer", signer);
  if (holder) refuseRole(manifest, owner, "holder", holder);
}

/** A process that enforces holds no key that could issue, approve, revoke, attest, witness, or change who is trusted. */
function refuseRole(manifest: Manifest, owner: string, name: string, { jwk }: Pick<Signer, "jwk">): void {
  const { issuers, approvers, revokers, deployers = [], witnesses, changes } = manifest;
  const keepers = changes?.keepers ?? [];
  const roles = [...issuers, ...approvers, ...revokers, ...deployers, ...witnesses, ...keepers];
  const own = thumbprint(jwk);
  if (own === owner || roles.some((role) => role.jwk && thumbprint(role.jwk) === own))
    throw new BehestError(
      "key_readable",
      `key_readable: "${name}" is a key that owns, issues, approves, revokes, attests, witnesses or keeps. The enforcing process must not hold it.`,
    );
}
