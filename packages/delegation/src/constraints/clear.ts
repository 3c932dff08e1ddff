/*
 * Text that every reader takes for the same characters: no control, format, private or unassigned characters, no
 * line or paragraph separators; outside ASCII only its own NFKC form, because others fold into "." and "/"
 * somewhere on the way. Not more than 30 combining marks in a row (UAX #15, "stream-safe"): normalising longer
 * runs takes the square of their length.
 */
const UNCLEAR = /[\p{C}\p{Zl}\p{Zp}]|\p{M}{31}/u;
const ASCII = /^[\x20-\x7e]*$/;

/** Segments that some reader drops, or takes for "." or "..": of dots, spaces, "+" (a space in forms) and "%" alone. */
const HOLLOW = /^[. +%]+$/;

const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g;

export function isClear(text: string): boolean {
  return ASCII.test(text) || (!UNCLEAR.test(text) && text.normalize("NFKC") === text);
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
