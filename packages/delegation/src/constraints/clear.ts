/*
 * Text that every reader takes for the same characters: no control, format, private or unassigned characters, no
 * line or paragraph separators; outside ASCII only its own NFKC form, because others fold into "." and "/"
 * somewhere on the way. Not more than 30 combining marks in a row (UAX #15, "stream-safe"): normalising longer
 * runs takes the square of their length.
 */
const UNCLEAR = /[\p{C}\p{Zl}\p{Zp}]/u;
const MARKS = /\p{M}+/gu;
const PILED = /^\p{M}{31}/u;
const ASCII = /^[\x20-\x7e]*$/;

/**
 * Segments that some reader drops, or takes for "." or "..": of dots, spaces, "+" (a space in forms), "%" and U+00B7 (a
 * dot in some code pages) alone, or of nothing else before a ";" (servers cut what follows it).
 */
const HOLLOW = /^(?:[. +%\u00b7]+$|[. +%\u00b7]*;)/;

const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g;

export function isClear(text: string): boolean {
  if (ASCII.test(text)) return true;
  return !UNCLEAR.test(text) && !isPiled(text) && text.normalize("NFKC") === text;
}

/** More marks in a row than are normalised. Each run is looked at once: a pattern for 31 of them starts anew at each. */
function isPiled(text: string): boolean {
  return (text.match(MARKS) ?? []).some((run) => PILED.test(run));
}

export function isHollow(segment: string): boolean {
  return HOLLOW.test(segment);
}

/** Every escape decoded once, a "%" without two hex digits left alone; `undefined` when that is not UTF-8. */
export function decodeEscapes(text: string): string | undefined {
  try {
    return text.replace(ESCAPES, decodeURIComponent);
  } catch {
    return undefined;
  }
}
