import type { Json } from "@behest/jws";
import { malformed } from "../request.ts";
import { type MinimumConsent, type Rung, isAtLeast, isDigest, isRung } from "../restrictions/consent.ts";
import { isObject } from "./token.ts";

/** How the principal's consent to a root was obtained, as its issuer states it. */
export interface Consent {
  /** `local`: whoever holds the issuer's key. `oauth`: an authorization server's word. `passkey`: the person signed. */
  readonly rung: Rung;
  /** base64url SHA-256 of what shows it. */
  readonly evidence?: string;
}

/** The claim `consent`; absent it is `local`, malformed it is `undefined`. */
export function parseConsent(value: Json | undefined): Consent | undefined {
  if (value === undefined) return { rung: "local" };
  if (!isObject(value) || !isRung(value["rung"])) return undefined;
  const { evidence } = value;
  const closed = Object.keys(value).every((name) => name === "rung" || name === "evidence");
  return closed && (evidence === undefined || isDigest(evidence)) ? (value as unknown as Consent) : undefined;
}

/** What a caller wrote → a copy of its own. Throws `malformed_request`. */
export function readConsent({ rung, evidence }: Consent): { readonly [member: string]: string } {
  const consent = { rung, ...(evidence !== undefined && { evidence }) };
  if (!parseConsent(consent)) malformed("consent", "expected a rung, and as evidence a SHA-256 in base64url");
  return consent;
}

/** Whether a root's consent is what a delegation demands at least. */
export function suffices(asked: MinimumConsent, { rung, evidence }: Consent): boolean {
  return isAtLeast(asked.min, rung) && (asked.evidence === undefined || asked.evidence === evidence);
}
