// Control characters drive terminals; format characters and separators hide or reorder what is shown.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text with what a terminal would obey or hide written as JSON escapes (`\u001b`), so that no token, name or
 * file can write on the screen. JSON stays the same JSON.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) =>
    Array.from(
      { length: char.length },
      (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
