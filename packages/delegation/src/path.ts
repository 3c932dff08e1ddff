/*
 * Paths that mean the same to every file system and library that reads them:
 *
 *   path    = "/" / ["/"] segment *("/" segment)
 *   segment = 1* any character but "/", "\", "%" and control, format or unassigned ones;
 *             not of dots and spaces alone ("." and ".."; Windows also drops trailing dots and spaces)
 *
 * Text outside ASCII must be its own NFKC form: others fold into "." and "/" somewhere on the way.
 * What a symbolic link points to is not visible here.
 */
const FORBIDDEN = /[\\%\p{C}]/u;
const ASCII = /^[\x20-\x7e]*$/;
const DOTS = /^[. ]+$/;

export function isPath(text: string): boolean {
  if (text === "/") return true;
  if (FORBIDDEN.test(text) || (!ASCII.test(text) && text.normalize("NFKC") !== text)) return false;
  const segments = (text.startsWith("/") ? text.slice(1) : text).split("/");
  return segments.every((segment) => segment !== "" && !DOTS.test(segment));
}

/** `value` is the folder itself or lies below it; `folder` is known to be a path. */
export function pathWithin(folder: string, value: string): boolean {
  if (!value.startsWith(folder)) return false;
  const next = value.charCodeAt(folder.length);
  return (value.length === folder.length || folder === "/" || next === 47) && isPath(value);
}
