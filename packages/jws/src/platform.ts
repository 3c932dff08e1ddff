import { sha256 as portable } from "@noble/hashes/sha2.js";
import { toBase64url, utf8 } from "./base64url.ts";

/** Node's crypto where there is one: synchronous, so the hot paths never await. Elsewhere WebCrypto and a portable hash. */
export const node: typeof import("node:crypto") | undefined = (
  globalThis as { process?: { getBuiltinModule?: (id: string) => typeof import("node:crypto") } }
).process?.getBuiltinModule?.("node:crypto");

/** SHA-256 of bytes, or of a text's UTF-8 bytes. */
export function sha256(data: Uint8Array | string): Uint8Array {
  if (node) return node.hash("sha256", data, "buffer");
  return portable(typeof data === "string" ? utf8(data) : data);
}

/** The same, base64url. */
export function sha256Text(data: Uint8Array | string): string {
  return node ? node.hash("sha256", data, "base64url") : toBase64url(sha256(data));
}

export function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}
