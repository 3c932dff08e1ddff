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
 * "%u" escapes; hollow segments other than "." and ".." (clear.ts), and the names of Windows devices, which are no
 * files anywhere; an empty segment with nothing before it ("//host/share"); ".." with nothing before it, or after a
 * segment with "%" or a doubtful separator (what it takes back then depends on what is decoded first); a drive ("C:")
 * or "~" at the start that is not the folder's; more than 4096 UTF-16 units.
 *
 *   folder  = "/" / ["/"] segment *("/" segment)   exactly as it resolves, without "%" and doubtful separators
 */
const LONGEST = 4096;
const MOST_DECODINGS = 4;
const SLASH = /\//;
// Yen, won and what is drawn like a reverse solidus; fraction slash, division sign and what is drawn like a solidus.
const ANY_SEPARATOR = /[/\\\u00a5\u20a9\u2216\u2572\u27cd\u29f5\u29f9\u00f7\u2044\u2215\u2571\u27cb\u29f8]/;
const DOUBTFUL = /[%\\\u00a5\u20a9\u2216\u2572\u27cd\u29f5\u29f9\u00f7\u2044\u2215\u2571\u27cb\u29f8]/;
// Also the tilde operator, the ratio sign and the triangular colon, which fold to "~" and ":".
const MOUNT = /^(?:[~\u223c]|[A-Za-z][:\u2236\u02d0])/;
// Alone, or with anything behind a dot, a colon, a ";" or what folds to one; blanks before it do not count.
const DEVICE = /^(?:con(?:in\$|out\$)?|prn|aux|nul|(?:com|lpt)[0-9])[ +%]*(?:$|[.:;\u00b7\u2236\u02d0])/i;
const WIDE_ESCAPE = /%u[0-9a-f]{4}/i;

/** Most values: one reading, nothing to resolve, and no device. */
const PLAIN = /^\/?(?:(?!(?:con|prn|aux|nul|(?:com|lpt)[0-9])(?:[./]|$))[a-z0-9_-][a-z0-9_.-]*(?:\/|$))*$/i;

/** What a value may mean to whoever opens it. */
export interface Path {
  /** Resolved, each once. */
  readonly readings: readonly string[];
  /** The drive or home that it begins with in some reading. */
  readonly mount: string | undefined;
}

/** Whether a constraint can name it. */
export function isFolder(text: string): boolean {
  if (text.length > LONGEST || !isClear(text) || DOUBTFUL.test(text)) return false;
  return text !== "" && resolved(text, SLASH)?.path === text;
}

/** `undefined` when it is ambiguous, and below no folder. */
export function readPath(value: string): Path | undefined {
  if (value.length > LONGEST) return undefined;
  if (PLAIN.test(value)) return { readings: [value], mount: undefined };
  const readings = new Set<string>();
  let mount: string | undefined;
  let reading = value;
  for (let decodings = 0; decodings <= MOST_DECODINGS; decodings++) {
    if (!isClear(reading) || WIDE_ESCAPE.test(reading)) return undefined;
    for (const separator of [SLASH, ANY_SEPARATOR]) {
      const one = resolved(reading, separator);
      if (!one || !isOneMount(mount, one.mount)) return undefined;
      readings.add(one.path);
      mount ??= one.mount;
    }
    const decoded = decodeEscapes(reading);
    if (decoded === undefined) return undefined;
    if (decoded === reading) return { readings: [...readings], mount };
    reading = decoded;
  }
  return undefined;
}

/** It is the folder itself or lies below it, however it is read; `folder` is known to be one. */
export function pathWithin(folder: string, { readings, mount }: Path): boolean {
  if (mount !== undefined && mount !== firstSegment(folder)) return false;
  return readings.every((path) => isBelow(folder, path));
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

/** No folder begins with two. */
function isOneMount(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

/** The segments that are left, joined with "/", and what they ever began with; `undefined` when that is ambiguous. */
function resolved(
  text: string,
  separator: RegExp,
): { readonly path: string; readonly mount: string | undefined } | undefined {
  const segments = text.split(separator);
  const absolute = segments.length > 1 && segments[0] === "";
  const kept: string[] = [];
  let mount: string | undefined;
  for (const [i, segment] of (absolute ? segments.slice(1) : segments).entries()) {
    if (segment === ".") continue;
    if (segment === "..") {
      const taken = kept.pop();
      if (taken === undefined || DOUBTFUL.test(taken)) return undefined;
    } else if (segment === "") {
      const last = i === segments.length - (absolute ? 2 : 1);
      if (kept.length === 0 && !last) return undefined;
    } else if (isHollow(segment) || DEVICE.test(segment)) return undefined;
    else {
      if (kept.length === 0 && MOUNT.test(segment)) {
        if (!isOneMount(mount, segment)) return undefined;
        mount = segment;
      }
      kept.push(segment);
    }
  }
  return { path: (absolute ? "/" : "") + kept.join("/"), mount };
}
