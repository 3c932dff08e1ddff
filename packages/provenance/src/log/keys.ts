import { type PublicKey, publicKey, thumbprint } from "@behest/jws";
import { type Certificate, readCertificate } from "../certificate.ts";
import { type Entry, verifyEntry } from "../entry.ts";
import { type Manifest, type Witness, rolesAt } from "../manifest.ts";
import { ProvenanceError } from "../error.ts";
import type { EntryPayload, TrustEntry } from "../payload.ts";
import { readTrust, trustHash } from "../trust.ts";
import { checkChange } from "../trust-change.ts";
import { Reliance } from "./reliance.ts";
import { type Findings, Refusal } from "./report.ts";

/** How far two clocks of a deployment may differ, ms. */
export const SKEW = 60_000;

/** A certified entry key and what is known of its emitter. */
export interface EntryKey {
  readonly key: PublicKey;
  readonly certificate: Certificate;
  /** The `seq` that comes next. */
  next: number;
}

/** A manifest, and the hash of its JWS, which the next version names. */
interface Version {
  readonly manifest: Manifest;
  readonly hash: string;
}

/** From the owner's thumbprint to the keys of entries: manifests, certificates, and how far each emitter has counted. */
export class Keys {
  readonly #owner: string;
  readonly #findings: Findings;
  readonly #keys = new Map<string, EntryKey>();
  readonly #enforcers = new Reliance();
  readonly #issuers = new Reliance();
  readonly #approvers = new Reliance();
  readonly #revokers = new Reliance();
  #version: Version | undefined;
  /** All of them, and the index from which each is in force. */
  readonly #versions: { readonly from: number; readonly manifest: Manifest }[] = [];
  /** Entries that were passed over and may be any emitter's. */
  #hidden = 0;

  constructor(owner: string, findings: Findings) {
    this.#owner = owner;
    this.#findings = findings;
  }

  /** In force after the entries admitted so far. */
  get manifest(): Manifest | undefined {
    return this.#version?.manifest;
  }

  /**
   * The witnesses at a log index: those of the version in force there whom no later one that names their key has
   * taken back for it.
   */
  witnessesAt(index: number): readonly Witness[] {
    const inForce = this.#versions.findLast(({ from }) => from <= index)?.manifest;
    const later = this.#versions.filter(({ from }) => from > index).map(({ manifest }) => manifest);
    return rolesAt(inForce?.witnesses ?? [], index).filter(({ jwk }) =>
      later.every(({ witnesses }) => {
        const named = witnesses.filter((one) => one.jwk.x === jwk.x);
        return named.length === 0 || rolesAt(named, index).length > 0;
      }),
    );
  }

  /** So many entries are not shown. */
  passOver(entries: number): void {
    this.#hidden += entries;
  }

  /** The keys certified so far. */
  get certified(): Iterable<EntryKey> {
    return this.#keys.values();
  }

  /**
   * Settles that the entry is signed by a key reached from the owner, at this index and time; else throws.
   * Only then does what it says of trust take effect.
   */
  async admit(index: number, entry: Entry, payload: EntryPayload): Promise<void> {
    let key = this.#keys.get(entry.kid);
    if (key) await this.#checkSigned(index, entry, key);
    const version = payload.type === "trust" ? await this.#versionOf(index, payload) : this.#version;
    if (!version)
      throw new Refusal(
        "trust",
        "trust_missing",
        "entry 0 does not show the trust manifest of the pinned owner",
      );
    // A version holds for what comes after it, and for the certificate beside it.
    let judged = this.#version ?? version;
    if (payload.type === "trust" && payload.certificate !== undefined) {
      if (key)
        throw new Refusal("key", "certificate_misplaced", "a certificate belongs into its key's first entry");
      judged = version;
      key = await certifiedBy(payload.certificate, version.manifest, index, entry);
      await this.#checkSigned(index, entry, key);
    }
    if (!key) throw new Refusal("key", "key_not_certified", "no certificate up to this entry is for its key");
    checkCovered(key.certificate, judged.manifest, index, payload.at);
    this.#keys.set(entry.kid, key);
    this.#enforcers.note(thumbprint(key.certificate.enforcer), index);
    if (version !== this.#version) this.#replace(version, index);
  }

  /** A root that the issuer's key with this thumbprint signed stands at `index`; throws where the manifest does not name the key there. */
  relyOnIssuer(key: string, index: number): void {
    const issuers = rolesAt(this.#version?.manifest.issuers ?? [], index);
    if (issuers.some(({ jwk }) => jwk && thumbprint(jwk) === key)) return this.#issuers.note(key, index);
    if (!issuers.some(({ jwks }) => jwks))
      throw new Refusal(
        "delegation",
        "issuer_not_trusted",
        "the trust manifest names no such issuer key here",
      );
    this.#findings.add(
      index,
      "delegation",
      "not_shown",
      "issuer_not_shown",
      "an issuer's keys are at a URL, not in the log",
    );
  }

  /**
   * An approver's key with this thumbprint decides at `index`: the key, who it is in each of its groups, and `x` of
   * every key that these persons have.
   */
  relyOnApprover(
    key: string,
    index: number,
  ): {
    readonly key: PublicKey;
    readonly persons: ReadonlyMap<string, string>;
    readonly own: ReadonlySet<string>;
  } {
    const approvers = this.#version?.manifest.approvers ?? [];
    const roles = rolesAt(approvers, index).filter(({ jwk }) => thumbprint(jwk) === key);
    const [role] = roles;
    if (!role)
      throw new Refusal("approval", "approver_not_trusted", "the trust manifest names no such approver here");
    this.#approvers.note(key, index);
    const persons = new Map(roles.map(({ group, person }) => [group, person]));
    const theirs = approvers.filter(({ person }) => roles.some((own) => own.person === person));
    return { key: publicKey(role.jwk), persons, own: new Set(theirs.map(({ jwk }) => jwk.x)) };
  }

  /** Throws where the manifest lists the policies that may decide, and these are none of them. */
  checkListed(policy: string | undefined): void {
    const listed = this.#version?.manifest.policies;
    if (!listed || (policy !== undefined && listed.includes(policy))) return;
    throw new Refusal("policy", "policy_not_listed", "the trust manifest does not list its policies");
  }

  /** The key with this thumbprint cuts in this scope at `index`; throws where the manifest does not let it. */
  relyOnRevoker(key: string, scope: string, index: number): void {
    const roles = rolesAt(this.#version?.manifest.revokers ?? [], index);
    if (!roles.some((role) => role.scope === scope && thumbprint(role.jwk) === key))
      throw new Refusal("revocation", "revoker_not_trusted", "the trust manifest names no such revoker here");
    this.#revokers.note(key, index);
  }

  async #versionOf(index: number, payload: TrustEntry): Promise<Version | undefined> {
    const { manifest: jws } = payload;
    if (jws === undefined || (!this.#version && index > 0)) return this.#version;
    const manifest = await readTrust(jws, this.#owner);
    const current = this.#version;
    if (current) {
      const follows = manifest.seq === current.manifest.seq + 1 && manifest.prev === current.hash;
      if (!follows || manifest.origin !== current.manifest.origin)
        throw new Refusal(
          "trust",
          "trust_out_of_sequence",
          "a trust manifest does not follow the one in force",
        );
      await checkChange(current.manifest, manifest).catch((error: unknown) => {
        if (!(error instanceof ProvenanceError)) throw error;
        throw new Refusal("trust", error.code, error.message);
      });
    }
    return { manifest, hash: trustHash(jws) };
  }

  /** Also counts, so that an entry refused for another reason leaves no gap. */
  async #checkSigned(index: number, entry: Entry, key: EntryKey): Promise<void> {
    if (!(await verifyEntry(entry, key.key)))
      throw new Refusal("key", "signature_invalid", "an entry's signature does not verify");
    const lost = entry.seq - key.next;
    if (lost < 0) throw new Refusal("sequence", "sequence_repeated", "an emitter's number is used again");
    // What is not shown accounts for as many as it is.
    const accounted = Math.min(lost, this.#hidden);
    this.#hidden -= accounted;
    if (lost > accounted)
      this.#findings.add(
        index,
        "sequence",
        "missing",
        "sequence_gap",
        `${lost - accounted} earlier entries of its emitter`,
      );
    key.next = entry.seq + 1;
  }

  #replace(version: Version, from: number): void {
    this.#version = version;
    this.#versions.push({ from, manifest: version.manifest });
    const { enforcers, issuers, approvers, revokers } = version.manifest;
    for (const at of this.#enforcers.withdraw(enforcers))
      this.#findings.fail(
        at,
        "key",
        "key_not_trusted",
        "a later trust manifest no longer trusts its enforcer here",
      );
    for (const at of this.#issuers.withdraw(issuers))
      this.#findings.fail(
        at,
        "delegation",
        "issuer_not_trusted",
        "a later trust manifest no longer trusts its issuer here",
      );
    for (const at of this.#approvers.withdraw(approvers))
      this.#findings.fail(
        at,
        "approval",
        "approver_not_trusted",
        "a later trust manifest no longer trusts its approver here",
      );
    for (const at of this.#revokers.withdraw(revokers))
      this.#findings.fail(
        at,
        "revocation",
        "revoker_not_trusted",
        "a later trust manifest no longer trusts its revoker here",
      );
  }
}

async function certifiedBy(jws: string, manifest: Manifest, index: number, entry: Entry): Promise<EntryKey> {
  const certificate = await readCertificate(jws, manifest, index);
  if (thumbprint(certificate.jwk) !== entry.kid)
    throw new Refusal("key", "certificate_misplaced", "a certificate belongs into its key's first entry");
  return { key: publicKey(certificate.jwk), certificate, next: 0 };
}

function checkCovered(certificate: Certificate, manifest: Manifest, index: number, at: string): void {
  if (!rolesAt(manifest.enforcers, index).some(({ jwk }) => jwk.x === certificate.enforcer.x))
    throw new Refusal("key", "key_not_trusted", "the trust manifest no longer names its enforcer here");
  if (!coversTime(certificate, at))
    throw new Refusal("key", "certificate_not_in_force", "its time is outside its key's certificate");
}

/** With {@link SKEW} to either side. */
export function coversTime({ from, until }: Certificate, at: string): boolean {
  const moment = Date.parse(at);
  return moment >= from * 1000 - SKEW && moment < until * 1000 + SKEW;
}
