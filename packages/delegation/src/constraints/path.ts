import { decodeEscapes, isClear, isHollow } from "./clear.ts";

/*
 * A value lies below a folder when every reading of it does, whoever decodes, splits and resolves it, in any order:
 *
 *   readings   the value; its percent-escapes decoded; decoded once more … until nothing changes (at most 4 times);
 *              each of them split at "/", and split at "/", "\" and what code pages turn into one of them
 *   resolving  of the segments "." and empty ones vanish, ".." takes back the segment before it; links are not followed
 *   below      the resolved reading is the folder, or begins with the folder and "/"
 *
 * Refused as ambiguous, in any reading: text that is not clear (clear.ts), also what does not decode to UTF-8, and
 * "%u" escapes; segments of dots, spaces, "+" and "%" other than "." and ".."; an empty segment with nothing before it
 * ("//host/share"); ".." with nothing before it, or after a segment with "%" or a doubtful separator (what it takes
 * back then depends on what is decoded first); a drive ("C:") or "~" at the start that is not the folder's; more
 * than 4096 UTF-16 units.
 *
 *   folder  = "/" / ["/"] segment *("/" segment)   exactly as it resolves, without "%" and doubtful separators
 */
const LONGEST = 4096;
const MOST_DECODINGS = 4;
const SLASH = /\//;
// Yen, won, fraction slash, division slash, set minus.
const ANY_SEPARATOR = /[/\\\u00a5\u20a9\u2044\u2215\u2216]/;
const DOUBTFUL = /[%\\\u00a5\u20a9\u2044\u2215\u2216]/;
const MOUNT = /^(?:~|[A-Za-z]:)/;
const WIDE_ESCAPE = /%u[0-9a-f]{4}/i;

/** Most values: one reading, and nothing to resolve. */
const PLAIN = /^\/?(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/|$))*$/;

/** Whether a constraint can name it. */
export function isFolder(text: string): boolean {
  if (text.length > LONGEST || !isClear(text) || DOUBTFUL.test(text)) return false;
  return text !== "" && resolved(text, SLASH, firstSegment(text)) === text;
}

/** `value` is the folder itself or lies below it; `folder` is known to be one. */
export function pathWithin(folder: string, value: string): boolean {
  if (value.length > LONGEST) return false;
  if (PLAIN.test(value)) return isBelow(folder, value);
  const first = firstSegment(folder);
  const leads = (reading: string, separator: RegExp): boolean => {
    const path = resolved(reading, separator, first);
    return path !== undefined && isBelow(folder, path);
  };
  let reading = value;
  for (let decodings = 0; decodings <= MOST_DECODINGS; decodings++) {
    if (!isClear(reading) || WIDE_ESCAPE.test(reading)) return false;
    if (!leads(reading, SLASH) || !leads(reading, ANY_SEPARATOR)) return false;
    const decoded = decodeEscapes(reading);
    if (decoded === undefined) return false;
    if (decoded === reading) return true;
    reading = decoded;
  }
  return false;
}

/** Everything below `child` is below `parent`; both are folders. */
export function folderWithin(parent: string, child: string): boolean {
  if (!isBelow(parent, child)) return false;
  return parent === child || parent !== "/" || !MOUNT.test(firstSegment(child));
}

function isBelow(folder: string, path: string): boolean {
  if (!path.startsWith(folder)) return false;
  return path.length === folder.length || folder === "/" || path[folder.length] === "/";
}

function firstSegment(path: string): string {
  return path.split("/", 2)[path.startsWith("/") ? 1 : 0]!;
}

/** The segments that are left, joined with "/"; `undefined` when that is ambiguous. */
function resolved(text: string, separator: RegExp, mount: string): string | undefined {
  const segments = text.split(separator);
  const absolute = segments.length > 1 && segments[0] === "";
  const kept: string[] = [];
  for (const [i, segment] of (absolute ? segments.slice(1) : segments).entries()) {
    if (segment === ".") continue;
    if (segment === "..") {
      const taken = kept.pop();
      if (taken === undefined || DOUBTFUL.test(taken)) return undefined;
    } else if (segment === "") {
      const last = i === segments.length - (absolute ? 2 : 1);
      if (kept.length === 0 && !last) return undefined;
    } else if (isHollow(segment)) return undefined;
    else if (kept.length === 0 && segment !== mount && MOUNT.test(segment)) return undefined;
    else kept.push(segment);
  }
  return (absolute ? "/" : "") + kept.join("/");
}
