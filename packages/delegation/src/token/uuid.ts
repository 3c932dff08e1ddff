/** UUID version 7 (RFC 9562, 5.7) in lower case: 48 bits of milliseconds, then the random bits of a version 4. */
export function uuidv7(): string {
  const ms = Date.now().toString(16).padStart(12, "0");
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${globalThis.crypto.randomUUID().slice(15)}`;
}
