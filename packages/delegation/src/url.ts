import { asciiLower, isDomain } from "./email.ts";

/*
 * The URLs that every parser splits alike (a part of RFC 3986, no WHATWG repairs):
 *
 *   url    = ("https" / "http") "://" host [":" port] [path] ["?" query] ["#" fragment]
 *   host   = letters, digits, inner hyphens and dots; its last label begins with a letter,
 *            so no IP address in any spelling; ASCII, so no IDNA mapping (write "xn--…")
 *   path   = *("/" segment)   no ".", "..", empty inner segment, ";" or "\";
 *            no %2e, %2f, %5c, %25 or encoded control characters, which some server decodes once more
 *
 * No user info, no white space (which WHATWG would drop), nothing outside ASCII.
 */
const CHARACTERS = /^[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/;
const SHAPE = /^(https?):\/\/([a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/i;
const PATH = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})*)*$/;
const DECODED_AGAIN = /%(?:2e|2f|5c|25|[01][0-9a-f]|7f)/i;
const LAST_LABEL = /(?:^|\.)[a-z][a-z0-9-]*$/;
const DEFAULT_PORT: { readonly [scheme: string]: string } = { https: "443", http: "80" };

interface Target {
  /** `scheme://host[:port]`, lower case, without the default port. */
  readonly origin: string;
  /** Begins with "/". */
  readonly path: string;
  /** Neither query nor fragment. */
  readonly bare: boolean;
}

function parseTarget(text: string): Target | undefined {
  const match = CHARACTERS.test(text) ? SHAPE.exec(text) : null;
  if (!match) return undefined;
  const scheme = asciiLower(match[1]!);
  const host = asciiLower(match[2]!);
  const port = match[3];
  const path = match[4] ?? "/";
  if (!isDomain(host) || !LAST_LABEL.test(host) || !isUrlPath(path)) return undefined;
  if (port !== undefined && Number(port) > 65_535) return undefined;
  const suffix = port === undefined || port === DEFAULT_PORT[scheme] ? "" : `:${port}`;
  return {
    origin: `${scheme}://${host}${suffix}`,
    path,
    bare: match[5] === undefined && match[6] === undefined,
  };
}

function isUrlPath(path: string): boolean {
  if (path === "/") return true;
  if (!PATH.test(path) || DECODED_AGAIN.test(path)) return false;
  const segments = path.slice(1).split("/");
  return segments.every(
    (segment, i) => segment !== "." && segment !== ".." && (segment !== "" || i === segments.length - 1),
  );
}

/** The one spelling of a base: origin, then a path that does not end in "/"; the root has none. */
export function normalBase(text: string): string | undefined {
  const target = parseTarget(text);
  if (!target?.bare) return undefined;
  return target.origin + (target.path.endsWith("/") ? target.path.slice(0, -1) : target.path);
}

/** Same origin, and the path is the base's or below it. Query and fragment are free. */
export function urlWithin(base: string, value: string): boolean {
  const target = parseTarget(value);
  if (!target) return false;
  const full = target.origin + target.path;
  return full === base || full.startsWith(`${base}/`);
}
