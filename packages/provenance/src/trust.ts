import {
  type PublicJwk,
  type Signer,
  canonical,
  publicJwk,
  publicKey,
  sha256Text,
  signCompact,
  splitCompact,
  thumbprint,
} from "@behest/jws";
import { readClaims } from "./claims.ts";
import { ProvenanceError, refusing } from "./error.ts";
import {
  type Approver,
  type Changes,
  type Deployer,
  type Enforcer,
  type IndexRange,
  type Issuer,
  type Keeper,
  type Manifest,
  type Revoker,
  type Witness,
  keysApart,
} from "./manifest.ts";
import { isKeyName } from "./note.ts";
import {
  type Check,
  type Members,
  bytes32,
  closed,
  count,
  list,
  matching,
  text,
  time,
  where,
  word,
} from "./shape.ts";

const TYP = "behest-trust+jwt";

const jwkMembers = closed<PublicJwk>({ kty: word("OKP"), crv: word("Ed25519"), x: bytes32, "kid?": text });

/** A public key, of which `x` alone counts. */
export const jwkShape: Check = (value) => {
  const path = jwkMembers(value);
  if (path !== undefined) return path;
  try {
    publicJwk(value);
    return undefined;
  } catch {
    return "x";
  }
};

function role<R extends IndexRange>(members: Members<Omit<R, keyof IndexRange>>): Check {
  const shape = closed({ ...members, "from?": count, "until?": count });
  return (value) => {
    const path = shape(value);
    if (path !== undefined) return path;
    const { from = 0, until = Number.POSITIVE_INFINITY } = value as IndexRange;
    return from < until ? undefined : "until";
  };
}

const texts = list(text);
const textsOrAll: Check = (value) => (value === "*" ? undefined : texts(value));
type IssuerMembers = Omit<Extract<Issuer, { jwk: PublicJwk }>, "jwk" | "jwks"> & {
  jwk?: PublicJwk;
  jwks?: string;
};
const issuerMembers = role<IssuerMembers>({
  iss: text,
  "jwk?": jwkShape,
  "jwks?": matching(/^https:\/\/[^\s]+$/),
  "subjects?": textsOrAll,
  "tenants?": textsOrAll,
  "rung?": word("local", "oauth", "passkey"),
});

const keyName: Check = where((value) => typeof value === "string" && isKeyName(value));

const changes = closed<Changes>({
  need: count,
  keepers: list(closed<Keeper>({ person: text, jwk: jwkShape })),
});

const shape: Check = closed<Manifest>({
  v: word(1),
  seq: count,
  "prev?": bytes32,
  at: time,
  origin: keyName,
  "rung?": word("local"),
  issuers: list((value) => {
    const path = issuerMembers(value);
    if (path !== undefined) return path;
    const { jwk, jwks } = value as { jwk?: unknown; jwks?: unknown };
    return (jwk === undefined) === (jwks === undefined) ? "jwk" : undefined;
  }),
  enforcers: list(role<Enforcer>({ jwk: jwkShape })),
  approvers: list(role<Approver>({ group: text, person: text, jwk: jwkShape })),
  revokers: list(role<Revoker>({ scope: text, jwk: jwkShape })),
  "deployers?": list(role<Deployer>({ deployer: text, jwk: jwkShape })),
  "retention?": count,
  witnesses: list(role<Witness>({ name: keyName, jwk: jwkShape })),
  "changes?": (value) => {
    const path = changes(value);
    if (path !== undefined) return path;
    const { need, keepers } = value as unknown as Changes;
    return need >= 1 && need <= new Set(keepers.map(({ person }) => person)).size ? undefined : "need";
  },
  "policies?": list(bytes32),
  "countersigned?": list(text),
});

/**
 * Signs a manifest: a compact JWS, `typ` `behest-trust+jwt`, the owner's public key in its protected header.
 * Throws `malformed_trust`, `roles_not_apart`. Runs where the owner's key is, never where agents run.
 */
export async function signTrust(manifest: Manifest, owner: Signer): Promise<string> {
  const jwk = publicJwk(owner.jwk);
  const jws = await signCompact({ typ: TYP, jwk }, canonical(manifest), owner);
  await readTrust(jws, thumbprint(jwk));
  return jws;
}

/**
 * The manifest that the pinned owner signed. The header's key is used only once its thumbprint (RFC 7638)
 * equals the pin. Throws `owner_mismatch`, `signature_invalid`, `malformed_trust`, and `roles_not_apart` when
 * an enforcer's key is also the owner's, an issuer's, an approver's, a revoker's, a deployer's, a witness's or a keeper's, or
 * a keeper's is the owner's.
 */
export async function readTrust(jws: string, pinnedOwnerThumbprint: string): Promise<Manifest> {
  const owner = refusing("malformed_trust", "a trust manifest's header has no usable key", () =>
    publicJwk(splitCompact(jws).header["jwk"]),
  );
  if (thumbprint(owner) !== pinnedOwnerThumbprint)
    throw new ProvenanceError(
      "owner_mismatch",
      "the trust manifest is signed by another owner than the pinned one",
    );
  const manifest = await readClaims<Manifest>(jws, publicKey(owner), {
    typ: TYP,
    code: "malformed_trust",
    shape,
  });
  const apart = keysApart(manifest);
  for (const { jwk } of manifest.enforcers)
    if (jwk.x === owner.x || apart.has(jwk.x))
      throw new ProvenanceError(
        "roles_not_apart",
        "an enforcer's key also holds another role; make one that only enforces",
      );
  if (manifest.changes?.keepers.some(({ jwk }) => jwk.x === owner.x))
    throw new ProvenanceError("roles_not_apart", "a keeper's key is the owner's: these would be two eyes");
  return manifest;
}

/** What the next version names as `prev`. */
export function trustHash(jws: string): string {
  return sha256Text(jws);
}
