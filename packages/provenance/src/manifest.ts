import { type PublicJwk, thumbprint } from "@behest/jws";

/** Log indexes at which a role holds: from `from` (default 0) up to `until`, exclusive (default: without end). */
export interface IndexRange {
  readonly from?: number;
  readonly until?: number;
}

/** How a principal's consent was obtained. */
export type Rung = "local" | "oauth" | "passkey";
/** Weakest first. */
const RUNGS: readonly Rung[] = ["local", "oauth", "passkey"];

interface IssuerRole extends IndexRange {
  readonly iss: string;
  /** The `sub`s it may assert; `"*"` or absent: all. */
  readonly subjects?: readonly string[] | "*";
  /** The `tenant`s it may assert, its roots then naming one of them; `"*"` or absent: all, or none. */
  readonly tenants?: readonly string[] | "*";
  /** The strongest consent that its roots may state; absent: any. */
  readonly rung?: Rung;
}

/** Who may sign roots: by one key, or by those found at a JWKS URL (https). */
export type Issuer = IssuerRole &
  ({ readonly jwk: PublicJwk; readonly jwks?: never } | { readonly jwks: string; readonly jwk?: never });

/** Whose certificates of entry keys hold. */
export interface Enforcer extends IndexRange {
  readonly jwk: PublicJwk;
}

export interface Approver extends IndexRange {
  readonly group: string;
  /** Opaque; one person may hold several keys and still counts once. */
  readonly person: string;
  readonly jwk: PublicJwk;
}

export interface Revoker extends IndexRange {
  /** What it may cut. */
  readonly scope: string;
  readonly jwk: PublicJwk;
}

/** Whose attestations say which agent holds a key. */
export interface Deployer extends IndexRange {
  /** As identities name it; it may have several keys. */
  readonly deployer: string;
  readonly jwk: PublicJwk;
}

/** Whose cosignatures of this log's checkpoints count. `name`: as its signature lines carry it. */
export interface Witness extends IndexRange {
  readonly name: string;
  readonly jwk: PublicJwk;
}

/** Who has to sign the next version beside the owner, and how many of them: four eyes. */
export interface Changes {
  readonly need: number;
  readonly keepers: readonly Keeper[];
}

export interface Keeper {
  /** Opaque; one person may hold several keys and still counts once. */
  readonly person: string;
  readonly jwk: PublicJwk;
}

/**
 * Every key of a deployment and its role, signed by the owner. A role that a later version lists with a range
 * holds in that range only, also for entries written before; one that a later version leaves out no longer
 * holds from that version's entry on.
 */
export interface Manifest {
  readonly v: 1;
  /** Of this version; the next one has one more. */
  readonly seq: number;
  /** SHA-256 of the previous version's JWS, base64url. */
  readonly prev?: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  /** The log's name. */
  readonly origin: string;
  /** `local`: made on one machine, by whoever holds all of its keys. */
  readonly rung?: "local";
  readonly issuers: readonly Issuer[];
  readonly enforcers: readonly Enforcer[];
  readonly approvers: readonly Approver[];
  readonly revokers: readonly Revoker[];
  /** Absent: none. An identity that names one of these must be attested. */
  readonly deployers?: readonly Deployer[];
  readonly witnesses: readonly Witness[];
  /** Days for which nothing that was recorded of a principal is erased, unless its entry says that it was. Default {@link RETENTION}. */
  readonly retention?: number;
  /** Absent: the owner alone changes this version. */
  readonly changes?: Changes;
  /** Digests of the sets of policies that may decide; absent: any. So a change of policies is a change of trust. */
  readonly policies?: readonly string[];
  /** Of this version, by keepers of the one before it. */
  readonly countersigned?: readonly string[];
}

/** Days: no six months have more. */
const RETENTION = 184;

/** How long what was recorded is kept at least, ms. */
export function retentionOf({ retention = RETENTION }: Pick<Manifest, "retention">): number {
  return retention * 86_400_000;
}

/** Those of `roles` that hold at a log index; without one, those that hold from now on without end. */
export function rolesAt<R extends IndexRange>(
  roles: readonly R[],
  index: number = Number.POSITIVE_INFINITY,
): readonly R[] {
  return roles.filter(({ from = 0, until }) => from <= index && (until === undefined || index < until));
}

/** Issuers that hold at a log index, with what each may assert. */
export function issuersOf(manifest: Manifest, index?: number): readonly Issuer[] {
  return rolesAt(manifest.issuers, index);
}

/** Whose roots verify: `{iss, jwk | jwks}`, without what each may assert, which is for {@link speaksFor} to say. */
export function anchorsOf(
  issuers: readonly Issuer[],
): readonly ({ readonly iss: string } & ({ readonly jwk: PublicJwk } | { readonly jwks: string }))[] {
  return issuers.map((issuer) => {
    const { iss } = issuer;
    return issuer.jwk ? { iss, jwk: issuer.jwk } : { iss, jwks: issuer.jwks };
  });
}

/**
 * Whether one of these issuers is the one that signed, by its name and by its key (RFC 7638 thumbprint), and
 * may assert this subject, in this tenant, with consent of this rung. A key that no role names can only have come from a role's key set;
 * where an issuer has several, each must let it, as nothing here says which one it came from.
 */
export function speaksFor(
  issuers: readonly Issuer[],
  signed: { readonly iss: string; readonly key: string },
  said: { readonly subject: string; readonly tenant?: string | undefined; readonly rung?: Rung },
): boolean {
  const among = (allowed: readonly string[] | "*", value: string | undefined): boolean =>
    allowed === "*" || (value !== undefined && allowed.includes(value));
  const allows = (roles: readonly Issuer[]): boolean =>
    roles.some(
      ({ subjects = "*", tenants = "*", rung = "passkey" }) =>
        among(subjects, said.subject) &&
        among(tenants, said.tenant) &&
        RUNGS.indexOf(said.rung ?? "local") <= RUNGS.indexOf(rung),
    );
  const own = issuers.filter(({ iss }) => iss === signed.iss);
  const named = own.filter(({ jwk }) => jwk && thumbprint(jwk) === signed.key);
  if (named.length > 0) return allows(named);
  const sets = [...new Set(own.flatMap(({ jwks }) => jwks ?? []))];
  return sets.length > 0 && sets.every((set) => allows(own.filter(({ jwks }) => jwks === set)));
}

/** `x` of each key that must never be an enforcer's or an entry key: of issuers, approvers, revokers, deployers, witnesses, keepers. */
export function keysApart(manifest: Manifest): ReadonlySet<string> {
  const { issuers, approvers, revokers, deployers = [], witnesses, changes } = manifest;
  const keepers = changes?.keepers ?? [];
  const roles = [...issuers, ...approvers, ...revokers, ...deployers, ...witnesses, ...keepers];
  return new Set(roles.flatMap(({ jwk }) => (jwk ? [jwk.x] : [])));
}
