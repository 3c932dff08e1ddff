import type { Email } from "./constraint.ts";

/*
 * The addresses that every mailer reads alike, a part of RFC 5321's:
 *
 *   address = local "@" domain          at most 254 characters, ASCII
 *   local   = word *("." word)          at most 64; no quoting, no comments, no "%" or "!" (source routes)
 *   domain  = label 1*("." label) / label
 *   label   = letters, digits, inner hyphens; at most 63
 *
 * So display names, address lists, quoted local parts, address literals and non-ASCII never match.
 */
const LOCAL = /^[A-Za-z0-9_][A-Za-z0-9_'+=~&#-]*(?:\.[A-Za-z0-9_'+=~&#-]+)*$/;
const DOMAIN =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const UPPER = /[A-Z]/g;

export interface Address {
  readonly local: string;
  /** Lower case. */
  readonly domain: string;
}

export function parseAddress(text: string): Address | undefined {
  const at = text.indexOf("@");
  if (at < 1 || at > 64 || text.length > 254) return undefined;
  const local = text.slice(0, at);
  const domain = asciiLower(text.slice(at + 1));
  return LOCAL.test(local) && DOMAIN.test(domain) ? { local, domain } : undefined;
}

/** A host name of letters, digits and hyphens, in lower case. */
export function isDomain(text: string): boolean {
  return DOMAIN.test(text);
}

/** `toLowerCase` maps characters outside ASCII into it (the Kelvin sign becomes k); this does not. */
export function asciiLower(text: string): string {
  return text.replace(UPPER, (letter) => letter.toLowerCase());
}

/** One of `address` and `domain`, in the one form it is written in. */
export function isEmailRule(rule: { readonly address?: unknown; readonly domain?: unknown }): boolean {
  if (rule.address === undefined) return typeof rule.domain === "string" && isDomain(rule.domain);
  if (rule.domain !== undefined || typeof rule.address !== "string") return false;
  const address = parseAddress(rule.address);
  return address !== undefined && `${address.local}@${address.domain}` === rule.address;
}

/** The domain itself, never its subdomains; a local part is compared as it is written (RFC 5321, 2.4). */
export function matchesEmail(rule: Email, { local, domain }: Address): boolean {
  return rule.domain === undefined ? `${local}@${domain}` === rule.address : domain === rule.domain;
}

/** Both are rules in their one form, so that nothing is parsed: an address has one "@". */
export function emailWithin(parent: Email, child: Email): boolean {
  if (child.address === undefined) return parent.domain === child.domain;
  return parent.domain === undefined
    ? parent.address === child.address
    : child.address.endsWith(`@${parent.domain}`);
}
