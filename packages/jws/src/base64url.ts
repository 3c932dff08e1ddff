import { FormatError } from "./error.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const SHAPE = /^[A-Za-z0-9_-]*$/;
// The last character of a group of 2 or 3 carries unused bits, which must be zero (RFC 4648, 3.5).
const LAST_OF_2 = /[AQgw]$/;
const LAST_OF_3 = /[AEIMQUYcgkosw048]$/;

const B = (globalThis as { Buffer?: typeof Buffer }).Buffer;

/** UTF-8 bytes of a text. On Node a view of pooled memory: copy it before its buffer is given away. */
export function utf8(text: string): Uint8Array {
  return B ? B.from(text) : encoder.encode(text);
}

/** Text of UTF-8 bytes; refuses malformed sequences (`malformed_json`: only JSON is carried as text here). */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new FormatError("malformed_json", "not valid UTF-8", { cause });
  }
}

/** base64url without padding (RFC 4648, 5), of bytes or of a text's UTF-8 bytes. */
export function toBase64url(data: Uint8Array | string): string {
  if (B) {
    if (typeof data === "string") return B.from(data).toString("base64url");
    const buffer = B.isBuffer(data) ? data : B.from(data.buffer, data.byteOffset, data.byteLength);
    return buffer.toString("base64url");
  }
  let text = "";
  for (const byte of typeof data === "string" ? utf8(data) : data) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Strict inverse of {@link toBase64url}: no padding, white space, other alphabet or stray bits (`malformed_base64url`). */
export function fromBase64url(text: string): Uint8Array {
  const rest = text.length % 4;
  const canonical =
    SHAPE.test(text) &&
    rest !== 1 &&
    (rest !== 2 || LAST_OF_2.test(text)) &&
    (rest !== 3 || LAST_OF_3.test(text));
  if (!canonical) throw new FormatError("malformed_base64url", "not canonical base64url");
  if (B) return B.from(text, "base64url");
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}
