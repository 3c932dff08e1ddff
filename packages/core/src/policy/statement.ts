/** One policy of a file, with where it stands there. */
export interface Statement {
  readonly file: string;
  /** From its first annotation or keyword to its `;`, with `@ask` in Cedar's own notation. */
  readonly text: string;
  /** UTF-16 index of `text` in the file. */
  readonly from: number;
}

// `@ask("group:finance", "2")`: an annotation of Cedar takes one string.
const ASK = /@ask\s*\(\s*"[^"\\]*"\s*,\s*"[^"\\]*"\s*\)/y;

/**
 * Splits a file at the `;` that end its policies: the only ones outside of strings and comments. What follows
 * the last one is a statement too, for Cedar to refuse. Positions stay as they were written.
 */
export function statements(file: string, source: string): Statement[] {
  const found: Statement[] = [];
  let text = source;
  let from: number | undefined;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (/\s/.test(sign)) continue;
    if (text.startsWith("//", at)) {
      at = endOfLine(text, at);
      continue;
    }
    from ??= at;
    if (sign === '"') at = endOfString(text, at);
    else if (sign === "@") text = withOneString(text, at);
    else if (sign === ";") {
      found.push({ file, text: text.slice(from, at + 1), from });
      from = undefined;
    }
  }
  if (from !== undefined) found.push({ file, text: text.slice(from), from });
  return found;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** Index of the closing quote. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** Joins the two strings of an `@ask` into one by blanking the quotes between them. */
function withOneString(text: string, at: number): string {
  ASK.lastIndex = at;
  const annotation = ASK.exec(text)?.[0];
  if (annotation === undefined) return text;
  const [before, group, between, need, after] = annotation.split('"') as [
    string,
    string,
    string,
    string,
    string,
  ];
  return `${text.slice(0, at)}${before}"${group} ${between} ${need}"${after}${text.slice(at + annotation.length)}`;
}

/** Where in a file an index stands; both from 1. */
export function lineAndColumn(
  source: string,
  index: number,
): { readonly line: number; readonly column: number } {
  const before = source.slice(0, index);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: index - start + 1 };
}

/** UTF-16 index of a UTF-8 offset, as Cedar counts. */
export function indexOf(text: string, offset: number): number {
  return Buffer.from(text).subarray(0, offset).toString().length;
}
