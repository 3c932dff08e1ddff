import type { Json } from "@behest/jws";
import { GRANT, acceptedProof, actions, hta, leaf, made, refusedProof } from "./actions.ts";
import { first, issuer, second, stranger } from "./key.ts";
import { ME, NOW, child, hashOf, jws, proof, restricting, root, segment } from "./token.ts";
import { type Case, type Vector, accept, named, refuse } from "./vector.ts";

type Signing = Parameters<typeof proof>[2];

function signatures(): readonly Vector[] {
  const header = (name: string, changed: NonNullable<Signing>["header"]): Case =>
    refusedProof("7a", "header_refused")(name, {}, {}, { header: changed! });
  const form = (name: string, text: string): Case =>
    refuse(name, "proof_refused", { step: "7a" }, { proof: text });
  const signature = (name: string, text: string): Case =>
    refuse(name, "signature_invalid", { step: "7b" }, { proof: text });
  const claims = (name: string, text: (claims: string) => string): Case =>
    refusedProof("7b", "malformed_delegation")(name, {}, {}, { text });
  const own = made();
  const below = child(leaf);
  return [
    actions("604-step-7a", "alg, typ and crit of a proof", [
      ...[undefined, "none", "EdDSA", "HS256"].map((alg) => header(`alg ${named(alg)}`, { alg })),
      ...[undefined, "aat+jwt", "JWT", "dpop+jwt", "AAT-POP+JWT"].map((typ) =>
        header(`typ ${named(typ)}`, { typ }),
      ),
      header("crit empty", { crit: [] }),
      header("crit of what nobody knows", { crit: ["x"], x: 1 }),
      header("bhst is not for proofs", restricting({ fan_out: 1 })),
      header("alg twice", '{"alg":"Ed25519","alg":"Ed25519","typ":"aat-pop+jwt"}'),
      header("not JSON", "{"),
      refuse("the leaf for a proof", "header_refused", { step: "7a" }, { proof: leaf }),
      form("empty", ""),
      form("two segments", own.split(".").slice(0, 2).join(".")),
      form("four segments", `${own}.`),
      accept("members that only inform", { proof: made({}, { header: { kid: "k", jwk: stranger.jwk } }) }),
    ]),
    actions("605-step-7b", "A proof is signed by the leaf's holder", [
      ...[stranger, issuer, second].map((key, at) =>
        signature(["a stranger", "the issuer", "another holder"][at]!, made({}, { key })),
      ),
      signature(
        "a stranger, with its key in the header",
        made({}, { key: stranger, header: { jwk: stranger.jwk } }),
      ),
      refuse(
        "the holder of the leaf's parent",
        "signature_invalid",
        { step: "7b" },
        { chain: [leaf, below], proof: proof(below, { aat_tool: "pay", hta }, { key: first }) },
      ),
      signature(
        "no signature",
        segment(own, 2, () => ""),
      ),
      signature(
        "padded",
        segment(own, 2, (tail) => `${tail}==`),
      ),
      signature(
        "other claims",
        segment(own, 1, () => made({ jti: "x" }).split(".")[1]!),
      ),
      signature(
        "the leaf's signature",
        segment(own, 2, () => leaf.split(".")[2]!),
      ),
      claims("a claim twice", (text) => text.replace('"jti":', '"jti":"x","jti":')),
      claims("an argument twice", (text) => text.replace('"amount":5', '"amount":5,"amount":5')),
      claims("an array", (text) => `[${text}]`),
      claims("a lone surrogate", (text) => text.replace('"jti":"', '"jti":"\\ud800')),
      refuse(
        "not JSON",
        "malformed_delegation",
        { step: "7b" },
        { proof: jws('{"alg":"Ed25519","typ":"aat-pop+jwt"}', "claims", first) },
      ),
    ]),
  ];
}

function claims(): readonly Vector[] {
  const shape = refusedProof("7c");
  const without = (claim: string, values: readonly (Json | undefined)[]): readonly Case[] =>
    values.map((value) => shape(`${claim} ${named(value)}`, { [claim]: value }));
  const audience = refusedProof("7d", "audience_refused");
  const differs = refusedProof("7f");
  const replayed = refusedProof("7i", "proof_replayed");
  const below = child(leaf);
  return [
    actions("606-step-7c", "A proof is made for this leaf", [
      ...without("jti", [undefined, null, "", 7]),
      ...without("aat_id", [undefined, null, "", 7, "other"]),
      ...without("aat_hash", [undefined, null, "", `${hashOf(leaf)}=`, hashOf(below)]),
      ...without("aat_tool", [undefined, null, "", 7]),
      ...without("hta", [undefined, null, [], '{"amount":5}']),
      ...without("iat", [undefined, null, String(NOW), NOW + 0.5]),
      shape(
        "iat with a fraction",
        {},
        {},
        { text: (text) => text.replace(`"iat":${NOW}`, `"iat":${NOW}.0`) },
      ),
      refuse(
        "made for the parent",
        "proof_refused",
        { step: "7c" },
        { chain: [leaf, child(leaf, { cnf: { jwk: first.jwk } })], proof: made() },
      ),
      refuse(
        "made for another token with the same jti",
        "proof_refused",
        { step: "7c" },
        { proof: proof(root({ ...GRANT, iat: NOW - 99 }), { aat_tool: "pay", hta }) },
      ),
    ]),
    actions(
      "607-step-7d",
      "A proof that names a verifier names this one",
      [
        audience("another", { aat_aud: "https://other.test" }),
        audience("in capitals", { aat_aud: "https://ME.test" }),
        audience("an array", { aat_aud: [ME] }),
        audience("null", { aat_aud: null }),
        audience("empty", { aat_aud: "" }),
        audience("none, where one is demanded", {}, { require_proof_audience: true }),
      ],
      { audience: ME },
    ),
    actions("608-step-7d-without-a-name", "A verifier without a name takes no proof for another", [
      audience("a name", { aat_aud: ME }),
      audience("null", { aat_aud: null }),
    ]),
    actions("609-step-7e", "A proof is for this tool", [
      refusedProof("7e")("another", { aat_tool: "t" }),
      refusedProof("7e")("in capitals", { aat_tool: "PAY" }),
    ]),
    actions("610-step-7f", "A proof is for these arguments", [
      differs("another value", { hta: { amount: 4 } }),
      differs("another type", { hta: { amount: "5" } }),
      differs("one more", { hta: { amount: 5, memo: null } }),
      differs("none", { hta: {} }),
      differs("one fewer", {}, { args: '{"amount":5,"memo":null}' }),
      differs(
        "another order in a list",
        { hta: { amount: 5, memo: [1, 2] } },
        { args: '{"amount":5,"memo":[2,1]}' },
      ),
      differs(
        "another Unicode form",
        { hta: { amount: 5, memo: "\u00e9" } },
        { args: '{"amount":5,"memo":"e\\u0301"}' },
      ),
      differs(
        "a number that no double is",
        {},
        {},
        { text: (text) => text.replace('"amount":5', '"amount":5.00000000000000001') },
      ),
    ]),
    actions("611-step-7g", "A proof is good for 30 seconds either way", [
      refusedProof("7g")("31 seconds ago", { iat: NOW - 31 }),
      refusedProof("7g")("31 seconds ahead", { iat: NOW + 31 }),
      refusedProof("7g")(
        "a second ago, where the window is none",
        { iat: NOW - 1 },
        { limits: { proof_window: 0 } },
      ),
      acceptedProof(
        "a minute ago, where the window allows it",
        { iat: NOW - 60 },
        { limits: { proof_window: 60 } },
      ),
    ]),
    actions("612-step-7h", "A nonce that is demanded is the one that was issued", [
      ...[undefined, null, "", "n-2", "N-1", ["n-1"], 1].map((nonce) =>
        refusedProof("7h")(named(nonce), { nonce }, { nonce: "n-1" }),
      ),
      refusedProof("7h")("demanded, and none was issued", { nonce: "n-1" }, { require_nonce: true }),
    ]),
    actions("613-step-7i", "A proof is accepted once", [
      replayed("its jti was seen", {}, { seen: ["proof"] }),
      replayed("among others", { jti: "n:2" }, { seen: ["a", "n:2"] }),
      accept("the same jti is news to who has not seen it", { proof: made(), seen: [] }),
    ]),
  ];
}

/** Step 7. */
export function proofs(): readonly Vector[] {
  return [...signatures(), ...claims()];
}
