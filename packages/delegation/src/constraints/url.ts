import { decodeEscapes, isClear, isHollow } from "./clear.ts";
import { asciiLower, isDomain } from "./email.ts";

/*
 * The URLs that every parser splits alike (a part of RFC 3986, no WHATWG repairs):
 *
 *   url    = ("https" / "http") "://" host [":" port] [path] ["?" query] ["#" fragment]
 *   host   = letters, digits, inner hyphens and dots; its last label begins with a letter,
 *            so no IP address in any spelling; ASCII, so no IDNA mapping (write "xn--…")
 *   path   = *("/" segment)   no "..", empty inner segment, ";" or "\"; decoded once it is clear UTF-8 (clear.ts),
 *            no segment of dots, spaces and "+" alone, no %2e, %2f, %5c or %25, which some server decodes once more
 *
 * No user info, also none that a parser could see when a query or fragment follows the host at once; no white space
 * (which WHATWG would drop), nothing outside ASCII; the path at most 4096 characters.
 *
 *   base = ("https" / "http") "://" ["*."] host [":" port] [path]
 *
 * lower case, without the default port and without "/" at the end. "*." stands for one or more labels, so
 * "*.example.com" is every subdomain of any depth, never example.com itself: write both as alternatives. At least
 * two labels follow; whether they are a public suffix (co.uk) is not known here.
 */
const CHARACTERS = /^[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/;
const SHAPE = /^(https?):\/\/(\*\.)?([a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?(\/[^?#]*)?((?:\?[^#]*)?(?:#.*)?)$/i;
const PATH = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})*)*$/;
const DECODED_AGAIN = /%(?:2e|2f|5c|25)/i;
const LAST_LABEL = /(?:^|\.)[a-z][a-z0-9-]*$/;
const LONGEST_PATH = 4096;
const DEFAULT_PORT: { readonly [scheme: string]: string } = { https: "443", http: "80" };

export interface Target {
  readonly scheme: string;
  /** Lower case. */
  readonly host: string;
  /** Every subdomain of the host; only a base says so. */
  readonly below: boolean;
  /** `:port`, or empty for the default one. */
  readonly port: string;
  /** Does not end in "/"; the root is empty. */
  readonly path: string;
  /** Query and fragment. */
  readonly rest: string;
}

function parseTarget(text: string): Target | undefined {
  const match = CHARACTERS.test(text) ? SHAPE.exec(text) : null;
  if (!match) return undefined;
  const scheme = asciiLower(match[1]!);
  const host = asciiLower(match[3]!);
  const port = match[4];
  const path = match[5] ?? "";
  const rest = match[6]!;
  if (!isDomain(host) || !LAST_LABEL.test(host) || !isUrlPath(path)) return undefined;
  if (port !== undefined && Number(port) > 65_535) return undefined;
  if (path === "" && rest.includes("@")) return undefined;
  return {
    scheme,
    host,
    below: match[2] !== undefined,
    port: port === undefined || port === DEFAULT_PORT[scheme] ? "" : `:${port}`,
    path: path.endsWith("/") ? path.slice(0, -1) : path,
    rest,
  };
}

function isUrlPath(path: string): boolean {
  if (path.length > LONGEST_PATH || !PATH.test(path) || DECODED_AGAIN.test(path)) return false;
  const decoded = path.includes("%") ? decodeEscapes(path) : path;
  if (decoded === undefined || !isClear(decoded)) return false;
  const segments = decoded.split("/").slice(1);
  return segments.every((segment, i) => !isHollow(segment) && (segment !== "" || i === segments.length - 1));
}

/** Only of a base in its one spelling. */
const BASE = /^(https?):\/\/(\*\.)?([^/:]+)(:[0-9]+)?(.*)$/;

function splitBase(text: string): Target {
  const [, scheme, star, host, port = "", path] = BASE.exec(text)!;
  return { scheme: scheme!, host: host!, below: star !== undefined, port, path: path!, rest: "" };
}

function parseBase(text: string): Target | undefined {
  const base = parseTarget(text);
  return base?.rest === "" && !(base.below && !base.host.includes(".")) ? base : undefined;
}

function printBase({ scheme, host, below, port, path }: Target): string {
  return `${scheme}://${below ? "*." : ""}${host}${port}${path}`;
}

/** The one spelling of a base; `undefined` when it is none. */
export function normalBase(text: string): string | undefined {
  const base = parseBase(text);
  return base && printBase(base);
}

/** The parts of a value; `undefined` when it is no URL that every parser splits alike. */
export function readUrl(value: string): Target | undefined {
  const target = parseTarget(value);
  return target?.below === false ? target : undefined;
}

/** Same scheme and port, the base's host (or one below it), and the base's path or one below. Query and fragment are free. */
export function urlWithin(base: string, value: Target): boolean {
  return within(splitBase(base), value);
}

/** Everything within `child` is within `parent`; both are bases. */
export function baseWithin(parent: string, child: string): boolean {
  return within(splitBase(parent), splitBase(child));
}

/** The base of what is within both; `undefined` when nothing is. */
export function commonBase(a: string, b: string): string | undefined {
  const [one, other] = [splitBase(a), splitBase(b)];
  const { host, below } = hostWithin(one, other) ? other : one;
  const path = pathBelow(one.path, other.path) ? other.path : one.path;
  const common = { ...one, host, below, path };
  return within(one, common) && within(other, common) ? printBase(common) : undefined;
}

function within(base: Target, target: Target): boolean {
  const sameOrigin = base.scheme === target.scheme && base.port === target.port;
  return sameOrigin && hostWithin(base, target) && pathBelow(base.path, target.path);
}

function hostWithin(base: Target, target: Target): boolean {
  if (base.host === target.host) return base.below === target.below;
  return base.below && target.host.endsWith(`.${base.host}`);
}

function pathBelow(base: string, path: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}
