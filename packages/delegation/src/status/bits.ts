import { readBounded } from "@behest/jws";

/** Bits that a status takes (draft-ietf-oauth-status-list, 4). */
export type Bits = 1 | 2 | 4 | 8;

/** Bytes of a list, decompressed: 8,388,608 delegations at one bit. */
export const MAX_LIST = 1_048_576;

/** The value at an index, least significant bits first; undefined beyond the end. */
export function statusAt(list: Uint8Array, bits: Bits, index: number): number | undefined {
  const perByte = 8 / bits;
  const byte = list[Math.floor(index / perByte)];
  return byte === undefined ? undefined : (byte >> ((index % perByte) * bits)) & (2 ** bits - 1);
}

/** ZLIB (RFC 1950). */
export async function deflate(list: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([list]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** Its inverse. Never holds more than {@link MAX_LIST} bytes and a piece; rejects where there are more. */
export async function inflate(packed: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([packed.slice()]).stream().pipeThrough(new DecompressionStream("deflate"));
  const list = await readBounded(stream, MAX_LIST);
  if (!list) throw new RangeError("more than a status list may hold");
  return list;
}
