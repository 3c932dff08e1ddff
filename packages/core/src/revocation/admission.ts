import { publicKey, sha256Text, thumbprint } from "@behest/jws";
import {
  type Cut,
  type CutTarget,
  type Manifest,
  type Revoker,
  readCut,
  revokerOf,
  rolesAt,
} from "@behest/provenance";
import { BehestError } from "../error.ts";
import { type Scope, scopeOf } from "./keys.ts";

/** A cut that an enrolled revoker signed. */
export interface Admitted {
  readonly cut: Cut;
  readonly jws: string;
  /** SHA-256 of its JWS, base64url. */
  readonly digest: string;
  /** RFC 7638 thumbprint of the revoker's key. */
  readonly revoker: string;
  /** What its revoker may cut, as far as its target can lie in it. */
  readonly scopes: readonly Scope[];
  /** Its revoker's role holds now: the log may take it in here. */
  readonly holds: boolean;
}

/**
 * Verifies a cut under the trust manifest: as it comes in, its revoker's role must hold now; one that was taken in
 * before stands also where that role has ended since. Throws `revocation_refused`.
 */
export async function admit(jws: string, manifest: Manifest, when: "now" | "before"): Promise<Admitted> {
  try {
    const revoker = revokerOf(jws);
    const roles = when === "now" ? rolesAt(manifest.revokers) : manifest.revokers;
    const own = roles.filter(({ jwk }) => thumbprint(jwk) === revoker);
    const [role] = own;
    if (!role) throw new Error("the trust manifest names no such revoker");
    const cut = await readCut(jws, publicKey(role.jwk));
    const scopes = scopesOf(own).filter((scope) => mayCover(scope, cut.target));
    if (scopes.length === 0) throw new Error("it lies outside of its revoker's scope");
    const holds = rolesAt(own).some(({ scope }) => (scopes as readonly string[]).includes(scope));
    return { cut, jws, digest: sha256Text(jws), revoker, scopes, holds };
  } catch (cause) {
    throw new BehestError(
      "revocation_refused",
      "revocation_refused: it is no cut by a revoker whom the trust manifest names, within that revoker's scope.",
      { cause },
    );
  }
}

function scopesOf(roles: readonly Revoker[]): readonly Scope[] {
  return roles.flatMap(({ scope }) => scopeOf(scope) ?? []);
}

/** Whether any chain can lie in both; which do is found by looking them up. */
function mayCover(scope: Scope, target: CutTarget): boolean {
  if ("tenant" in target && scope.startsWith("tenant:")) return scope === `tenant:${target.tenant}`;
  if ("issuer" in target && target.issuer !== undefined && scope.startsWith("issuer:"))
    return scope === `issuer:${target.issuer}`;
  return true;
}
