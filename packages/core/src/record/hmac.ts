import { sha256, sha256Text, utf8 } from "@behest/jws";

const BLOCK = 64;
const HASH = 32;
/** Characters of a text that is hashed in the buffer that stays, and remembered. */
const SHORT = 400;
const KNOWN = 64;

/**
 * HMAC-SHA-256 (RFC 2104) of texts under a key of at most 64 bytes, base64url. Two hashes at one shot, with the
 * key padded once: Node's own makes an object outside its heap each time, which costs more than the hashing.
 */
export function hmac(key: Uint8Array): (text: string) => string {
  if (key.length > BLOCK) throw new RangeError("an HMAC key here has at most 64 bytes");
  // A character takes three bytes at most.
  const inner = padded(key, 0x36, 3 * SHORT);
  const outer = padded(key, 0x5c, HASH);
  const finish = (message: Uint8Array): string => {
    outer.set(sha256(message), BLOCK);
    return sha256Text(outer);
  };
  // An action's names are asked for again within a moment. A text has one HMAC only: nothing wrong can be kept.
  const known = new Map<string, string>();
  return (text) => {
    if (text.length > SHORT) return finish(Buffer.concat([inner.subarray(0, BLOCK), utf8(text)]));
    const before = known.get(text);
    if (before !== undefined) return before;
    const mac = finish(inner.subarray(0, BLOCK + inner.write(text, BLOCK)));
    if (known.size >= KNOWN) known.clear();
    known.set(text, mac);
    return mac;
  };
}

/** The key under `pad`, one block, and room for `more` bytes. */
function padded(key: Uint8Array, pad: number, more: number): Buffer {
  const block = Buffer.alloc(BLOCK + more).fill(pad, 0, BLOCK);
  for (const [i, byte] of key.entries()) block[i] = byte ^ pad;
  return block;
}
