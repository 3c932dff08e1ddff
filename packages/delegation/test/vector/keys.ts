import { type Json, fromBase64url, toBase64url } from "@behest/jws";
import { first, stranger } from "./key.ts";
import { child, proof, root, segment } from "./token.ts";
import { type Case, type Vector, accept, delegations, refuse } from "./vector.ts";

/** RFC 8032, 5.1: p = 2^255 - 19 and the order L of the base point. */
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN = 2n ** 255n;
/** The y-coordinate of the points of order 8 with a positive x, and its negative. */
const Y8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;

function littleEndian(value: bigint): string {
  return toBase64url(Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse());
}

function key(x: string): Json {
  return { kty: "OKP", crv: "Ed25519", x };
}

function point(y: bigint): Json {
  return key(littleEndian(y));
}

/** A root, and a child, that is bound to something else than a usable key. */
function bound(name: string, jwk: Json): readonly Case[] {
  const held = root();
  return [
    refuse(
      `${name}, root`,
      "malformed_delegation",
      { step: "3l", hop: 0 },
      { chain: [root({ cnf: { jwk } })] },
    ),
    refuse(
      `${name}, child`,
      "malformed_delegation",
      { step: "4b2", hop: 1 },
      { chain: [held, child(held, { cnf: { jwk } })] },
    ),
  ];
}

/** As valid as the one given, for whoever does not look whether S is below L. */
function malleated(tail: string): string {
  const bytes = Buffer.from(fromBase64url(tail));
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + L;
  return toBase64url(Buffer.concat([bytes.subarray(0, 32), fromBase64url(littleEndian(s))]));
}

export function keys(): readonly Vector[] {
  const held = root();
  const { x } = first.jwk;
  const bytes = Buffer.from(fromBase64url(x));
  const off = root({ cnf: { jwk: point(2n) } });
  const tail = (name: string, change: (segment: string) => string): readonly Case[] => [
    refuse(
      `${name}, root`,
      "issuer_untrusted",
      { step: "3b", hop: 0 },
      { chain: [segment(held, 2, change)] },
    ),
    refuse(
      `${name}, child`,
      "signature_invalid",
      { step: "4b", hop: 1 },
      { chain: [held, segment(child(held), 2, change)] },
    ),
  ];
  return [
    delegations("250-small-order", "Keys of small order, for which anybody can sign", [
      ...bound("the neutral element", point(1n)),
      ...bound("order 2", point(P - 1n)),
      ...bound("order 4", point(0n)),
      ...bound("order 4, the other", point(SIGN)),
      ...bound("order 8", point(Y8)),
      ...bound("order 8, the second", point(Y8 + SIGN)),
      ...bound("order 8, the third", point(P - Y8)),
      ...bound("order 8, the fourth", point(P - Y8 + SIGN)),
    ]),
    delegations("251-non-canonical-keys", "Keys that are written in a second way", [
      ...bound("the neutral element with a sign", point(1n + SIGN)),
      ...bound("order 2 with a sign", point(P - 1n + SIGN)),
      ...bound("y = p", point(P)),
      ...bound("y = p + 1", point(P + 1n)),
      ...bound("y = p + 3", point(P + 3n)),
      ...bound("y = 2^255 - 1", point(SIGN - 1n)),
      ...bound("y = p with a sign", point(P + SIGN)),
    ]),
    delegations("252-other-keys", "What is not an Ed25519 public key", [
      ...bound("a private key", { ...first.jwk, d: x }),
      ...bound("a private part of another kind", { ...first.jwk, p: "AQ" }),
      ...bound("a symmetric key", { kty: "oct", k: x }),
      ...bound("a symmetric part", { ...first.jwk, k: x }),
      ...bound("P-256", { kty: "EC", crv: "P-256", x, y: x }),
      ...bound("X25519", { ...first.jwk, crv: "X25519" }),
      ...bound("Ed448", { ...first.jwk, crv: "Ed448" }),
      ...bound("no kty", { crv: "Ed25519", x }),
      ...bound("31 bytes", key(toBase64url(bytes.subarray(1)))),
      ...bound("33 bytes", key(toBase64url(Buffer.concat([bytes, Buffer.from([0])])))),
      ...bound("padded", key(`${x}=`)),
      ...bound("a number", { kty: "OKP", crv: "Ed25519", x: 7 }),
    ]),
    delegations("253-signatures", "A signature has one form", [
      ...tail("S plus the group's order", malleated),
      ...tail("64 zero bytes", () => toBase64url(Buffer.alloc(64))),
      ...tail("63 bytes", (text) => toBase64url(fromBase64url(text).slice(0, 63))),
      ...tail("65 bytes", (text) => toBase64url(Buffer.concat([fromBase64url(text), Buffer.from([0])]))),
      ...tail("R of another", (text) =>
        toBase64url(Buffer.concat([stranger.sign("x").slice(0, 32), fromBase64url(text).slice(32)])),
      ),
      ...tail("of small order: R the neutral element, S zero", () =>
        toBase64url(Buffer.concat([Buffer.from([1]), Buffer.alloc(63)])),
      ),
    ]),
    delegations("254-off-the-curve", "A key that is no point: nothing verifies under it", [
      refuse(
        "a child under it",
        "signature_invalid",
        { step: "4b", hop: 1 },
        { chain: [off], leaf: child(off) },
      ),
      accept("the same chain, bound to a point", { chain: [held, child(held)] }),
    ]),
    {
      ...delegations(
        "255-proof-off-the-curve",
        "The same for a proof",
        [
          refuse("a proof under it", "signature_invalid", { step: "7b" }, { proof: proof(off) }),
          refuse(
            "an empty signature",
            "signature_invalid",
            { step: "7b" },
            { proof: segment(proof(off), 2, () => "") },
          ),
        ],
        { chain: [off], tool: "t", args: "{}" },
      ),
      replay: "action",
    },
  ];
}
