import { sha256, sha256Text, utf8 } from "@behest/jws";

const BLOCK = 64;
const HASH = 32;
/** Bytes of a text that fit beside the key in the buffer that stays. */
const SHORT = 1024;
/** An action's names are asked for again within a moment; a text has but one HMAC, so what is kept cannot be wrong. */
const KNOWN = 256;

/**
 * HMAC-SHA-256 (RFC 2104) of texts under a key of at most 64 bytes, base64url. Two hashes at one shot, with the
 * key padded once: Node's own makes an object outside its heap each time, which costs more than the hashing.
 */
export function hmac(key: Uint8Array): (text: string) => string {
  if (key.length > BLOCK) throw new RangeError("an HMAC key here has at most 64 bytes");
  const inner = padded(key, 0x36, SHORT);
  const outer = padded(key, 0x5c, HASH);
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    // Each character of a text takes three bytes at most.
    const message =
      text.length * 3 <= SHORT
        ? inner.subarray(0, BLOCK + inner.write(text, BLOCK))
        : Buffer.concat([inner.subarray(0, BLOCK), utf8(text)]);
    outer.set(sha256(message), BLOCK);
    const mac = sha256Text(outer);
    if (known.size >= KNOWN) known.clear();
    if (text.length <= SHORT) known.set(text, mac);
    return mac;
  };
}

/** The key under `pad`, one block, and room for `more` bytes. */
function padded(key: Uint8Array, pad: number, more: number): Buffer {
  const block = Buffer.alloc(BLOCK + more).fill(pad, 0, BLOCK);
  for (const [i, byte] of key.entries()) block[i] = byte ^ pad;
  return block;
}
