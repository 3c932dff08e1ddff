import {
  type PublicJwk,
  type Signer,
  parseJson,
  publicJwk,
  publicKey,
  signCompact,
  splitCompact,
  thumbprint,
} from "@behest/jws";
import { readClaims } from "./claims.ts";
import { ProvenanceError, refusing } from "./error.ts";
import { type Manifest, keysApart, rolesAt } from "./manifest.ts";
import { type Check, bytes32, closed, count, isObject, text } from "./shape.ts";
import { jwkShape } from "./trust.ts";

const TYP = "behest-entry-key+jwt";

/** An entry key, as an enforcer certified it for one log. */
export interface Certificate {
  readonly jwk: PublicJwk;
  /** Seconds since the epoch; `until` exclusive. */
  readonly from: number;
  readonly until: number;
  /** Public key of the enforcer. */
  readonly enforcer: PublicJwk;
}

interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly nbf: number;
  readonly exp: number;
  readonly cnf: { readonly jwk: PublicJwk };
}

const shape: Check = closed<Claims>({
  iss: bytes32,
  aud: text,
  nbf: count,
  exp: count,
  cnf: closed<Claims["cnf"]>({ jwk: jwkShape }),
});

/** Certifies a short-lived entry key for the log `origin`; the only thing an enforcer's key signs, so it may be in a KMS. */
export async function certifyEntryKey(
  request: {
    readonly jwk: PublicJwk;
    readonly origin: string;
    readonly from: number;
    readonly until: number;
  },
  enforcer: Signer,
): Promise<string> {
  const { origin, from, until } = request;
  const claims = {
    iss: thumbprint(enforcer.jwk),
    aud: origin,
    nbf: from,
    exp: until,
    cnf: { jwk: publicJwk(request.jwk) },
  };
  if (shape(claims) !== undefined || from >= until)
    throw new ProvenanceError("malformed_certificate", "from and until are whole seconds, from before until");
  return signCompact({ typ: TYP }, claims, enforcer);
}

/**
 * A certificate under an enforcer whom `manifest` trusts at log index `index` (default: from now on without end).
 * Its times are not compared with any clock. Throws `enforcer_not_trusted`, `origin_mismatch`, `signature_invalid`,
 * `malformed_certificate`, and `roles_not_apart` for a key that has another role.
 */
export async function readCertificate(jws: string, manifest: Manifest, index?: number): Promise<Certificate> {
  // Only to choose among the manifest's keys.
  const named = refusing("malformed_certificate", "not a certificate", () =>
    parseJson(splitCompact(jws).payload),
  );
  const issuer = isObject(named) ? named["iss"] : undefined;
  const enforcer = rolesAt(manifest.enforcers, index).find(({ jwk }) => thumbprint(jwk) === issuer);
  if (!enforcer)
    throw new ProvenanceError("enforcer_not_trusted", "the trust manifest names no such enforcer here");
  const { aud, nbf, exp, cnf } = await readClaims<Claims>(jws, publicKey(enforcer.jwk), {
    typ: TYP,
    code: "malformed_certificate",
    shape,
  });
  if (aud !== manifest.origin)
    throw new ProvenanceError("origin_mismatch", "a certificate is for another log");
  if (nbf >= exp) throw new ProvenanceError("malformed_certificate", "a certificate ends before it begins");
  if (keysApart(manifest).has(cnf.jwk.x))
    throw new ProvenanceError("roles_not_apart", "an entry key also holds another role");
  return { jwk: cnf.jwk, from: nbf, until: exp, enforcer: enforcer.jwk };
}
