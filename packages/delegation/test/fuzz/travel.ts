import { fromBase64url, toBase64url } from "@behest/jws";
import type { Original } from "./world.ts";

/** Changes to what travels: nobody signs anything anew. `at` in 0…1 picks a place. */
export const TRAVEL: {
  readonly [name: string]: (chain: readonly string[], at: number, other: Original) => readonly string[];
} = {
  "a character replaced": edited(
    (text, i) => text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1),
  ),
  "a bit flipped": edited(
    (text, i) => text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ 1) + text.slice(i + 1),
  ),
  "a character left out": edited((text, i) => text.slice(0, i) + text.slice(i + 1)),
  "a character twice": edited((text, i) => text.slice(0, i) + text[i]! + text.slice(i)),
  "white space": edited((text, i) => `${text.slice(0, i)}\n${text.slice(i)}`),
  "a dot": edited((text, i) => `${text.slice(0, i)}.${text.slice(i)}`),
  "cut short": edited((text, i) => text.slice(0, i)),
  padding: segments((segment) => `${segment}=`),
  "the other alphabet": segments((segment) => segment.replaceAll("-", "+").replaceAll("_", "/")),
  "stray bits": segments((segment) =>
    segment.replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1)),
  ),
  "another spelling of the signature": edited((text) => {
    const dot = text.lastIndexOf(".") + 1;
    return /^[\w-]{85}[AQgw]$/.test(text.slice(dot)) ? text.slice(0, dot) + plusOrder(text.slice(dot)) : text;
  }),
  "a segment of another chain": (chain, at, { chain: foreign }) =>
    edited((text, i) => {
      const own = text.split(".");
      own[i % 3] = foreign[i % foreign.length]!.split(".")[i % 3]!;
      return own.join(".");
    })(chain, at, { chain: foreign, signers: [] }),
  "a token of another chain": (chain, at, { chain: foreign }) =>
    chain.with(Math.floor(at * chain.length), foreign[Math.floor(at * foreign.length)]!),
  "a foreign tail": (chain, at, { chain: foreign }) => [
    ...chain.slice(0, 1 + Math.floor(at * chain.length)),
    ...foreign.slice(1 + Math.floor(at * foreign.length)),
  ],
  "a hop dropped": (chain, at) => chain.toSpliced(Math.floor(at * chain.length), 1),
  "hops swapped": (chain, at) => {
    const i = Math.floor(at * chain.length);
    const j = (i + 1) % chain.length;
    return chain.with(i, chain[j]!).with(j, chain[i]!);
  },
  "a hop twice": (chain, at) => {
    const i = Math.floor(at * chain.length);
    return chain.toSpliced(i, 0, chain[i]!);
  },
};

function edited(edit: (text: string, i: number) => string): (typeof TRAVEL)[string] {
  return (chain, at) => {
    const hop = Math.floor(at * chain.length);
    const text = chain[hop]!;
    return chain.with(hop, edit(text, Math.floor((at * chain.length - hop) * text.length)));
  };
}

function segments(edit: (segment: string) => string): (typeof TRAVEL)[string] {
  return edited((text, i) =>
    text
      .split(".")
      .map((part, n) => (n === i % 3 ? edit(part) : part))
      .join("."),
  );
}

/** S + L: the same point, and verifies where S < L is not asked for. */
function plusOrder(signature: string): string {
  const bytes = Uint8Array.from(fromBase64url(signature));
  let carry = 2n ** 252n + 27742317777372353535851937790883648493n;
  for (let i = 32; i < 64; i++, carry >>= 8n) {
    carry += BigInt(bytes[i]!);
    bytes[i] = Number(carry & 255n);
  }
  return toBase64url(bytes);
}
