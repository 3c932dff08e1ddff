import type { Anchor, HopClaims, KeySetFetch } from "@behest/delegation";
import { type Status, statusReader } from "@behest/delegation/status";
import { type Issuer, type Manifest, anchorsOf, issuersOf } from "@behest/provenance";
import type { Cutting } from "./revocations.ts";

const CODES: { readonly [status in Status]: Cutting | undefined } = {
  valid: undefined,
  revoked: "revoked",
  unknown: "revocation_stale",
};

/** What stops a chain, as the status list of its issuer has it now; undefined where nothing does, or it has none. */
export type ListedStatus = (claims: readonly HopClaims[], principal: string) => Promise<Cutting | undefined>;

/** Lists of the issuers that the manifest trusts now. Without a way to fetch them, what has a status is refused elsewhere. */
export function listedStatus(
  fetch: KeySetFetch | undefined,
  manifest: Manifest,
  clock: () => number,
): ListedStatus | undefined {
  if (!fetch) return undefined;
  const read = statusReader({
    issuers: issuersOf(manifest).flatMap(anchorOf),
    fetch,
    now: () => Math.floor(clock() / 1000),
  });
  return async (claims, principal) => {
    const reference = claims.at(-1)!.restrictions?.status;
    if (!reference) return undefined;
    const { iss: issuer, tenant } = claims[0]!;
    return CODES[await read(reference, { issuer, principal, ...(tenant !== undefined && { tenant }) })];
  };
}

/** With what it may assert: a list by a key that may not speak for a root says nothing of it. */
function anchorOf(issuer: Issuer): readonly Anchor[] {
  const { subjects = "*", tenants = "*" } = issuer;
  const may = { ...(subjects !== "*" && { subjects }), ...(tenants !== "*" && { tenants }) };
  return anchorsOf([issuer]).map((anchor) => ({ ...anchor, ...may }));
}
