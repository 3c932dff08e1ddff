import type { Json } from "@behest/jws";
import type { DelegationCode } from "../../src/index.ts";
import { ANCHORS, ME, NOW, child, granting, proof, root } from "./token.ts";
import { type Case, type Vector, accept, named, refuse } from "./vector.ts";

type Claims = Parameters<typeof proof>[1];
type Signing = Parameters<typeof proof>[2];
type More = { readonly [member: string]: Json };

const AMOUNT = { constraint_type: "range", min: 0, max: 9 };
export const GRANT = granting({
  pay: { amount: AMOUNT, memo: { constraint_type: "wildcard", optional: true } },
  t: {},
});
export const leaf = root(GRANT);
export const hta = { amount: 5 };

export function made(claims: Claims = {}, signing: Signing = {}): string {
  return proof(leaf, { aat_tool: "pay", hta, ...claims }, signing);
}

export function acceptedProof(name: string, claims: Claims = {}, more: More = {}, result?: Json): Case {
  return accept(name, { proof: made(claims), ...more }, result);
}

/** Proofs that one step refuses. */
export function refusedProof(step: string, code: DelegationCode = "proof_refused") {
  return (name: string, claims: Claims = {}, more: More = {}, signing: Signing = {}): Case =>
    refuse(name, code, { step }, { proof: made(claims, signing), ...more });
}

export function actions(id: string, title: string, cases: readonly Case[], more: More = {}): Vector {
  const given = { anchors: ANCHORS, now: NOW, chain: [leaf], tool: "pay", args: '{"amount":5}', ...more };
  return { id, title, replay: "action", given, cases };
}

/** Calls, and step 6. */
export function actionCalls(): readonly Vector[] {
  const below = child(leaf);
  const outside = refusedProof("6b", "argument_not_granted");
  const malformed = refusedProof("6b", "malformed_arguments");
  const args = (text: string): More => ({ args: text });
  return [
    actions("600-action", "A call, proved by the leaf's holder", [
      acceptedProof("plain", {}, {}, { args: { amount: 5 } }),
      acceptedProof("the number is spelt otherwise in the call", {}, args('{ "amount": 5.0 }'), {
        args: { amount: 5 },
      }),
      accept(
        "the number is spelt otherwise in the proof",
        { proof: made({}, { text: (text) => text.replace('"amount":5', '"amount":5e0') }) },
        { args: { amount: 5 } },
      ),
      accept("the proof's claims in another order, with white space", {
        proof: made(
          {},
          {
            text: (text) =>
              JSON.stringify(
                Object.fromEntries(Object.entries(JSON.parse(text) as object).toReversed()),
                null,
                1,
              ),
          },
        ),
      }),
      acceptedProof(
        "arguments in another order",
        { hta: { amount: 5, memo: { a: 1, b: 2 } } },
        args('{"memo":{"b":2,"a":1},"amount":5}'),
        { args: { amount: 5, memo: { a: 1, b: 2 } } },
      ),
      acceptedProof("claims that nobody reads", { x: 1, exp: 0 }),
      accept(
        "a chain of two",
        { chain: [leaf, below], proof: proof(below, { aat_tool: "pay", hta }) },
        { args: { amount: 5 } },
      ),
      acceptedProof("made 30 seconds ago", { iat: NOW - 30 }),
      acceptedProof("made 30 seconds ahead", { iat: NOW + 30 }),
      acceptedProof("names the verifier", { aat_aud: ME }, { audience: ME }),
      acceptedProof("names it, as demanded", { aat_aud: ME }, { audience: ME, require_proof_audience: true }),
      acceptedProof("names none", {}, { audience: ME }),
      acceptedProof("the nonce that was issued", { nonce: "n-1" }, { nonce: "n-1" }),
      acceptedProof("a nonce that nobody asked for", { nonce: "n-1" }),
      acceptedProof(
        "another nonce, where none is demanded",
        { nonce: "n-2" },
        { nonce: "n-1", require_nonce: false },
      ),
      acceptedProof("a jti that was not seen", {}, { seen: ["another"] }),
    ]),
    actions(
      "601-step-6b-tool",
      "The tool is granted",
      ["refund", "PAY", "pay ", "__proto__", "constructor"].map((tool) =>
        refusedProof("6b", "tool_not_granted")(tool, { aat_tool: tool }, { tool }),
      ),
    ),
    actions(
      "602-step-6b-arguments",
      "The arguments are an object that the grant permits, every number exact",
      [
        outside("outside", { hta: { amount: 10 } }, args('{"amount":10}')),
        outside("outside, with an exponent", { hta: { amount: 10 } }, args('{"amount":1e1}')),
        outside("text for a number", { hta: { amount: "5" } }, args('{"amount":"5"}')),
        outside("not named", { hta: { amount: 5, to: "x" } }, args('{"amount":5,"to":"x"}')),
        outside("left out", { hta: {} }, args("{}")),
        malformed("a number that no double is", {}, args('{"amount":5.00000000000000001}')),
        malformed("one where any value is permitted", {}, args('{"amount":5,"memo":[9007199254740993]}')),
        malformed("one too large", {}, args('{"amount":5,"memo":1e400}')),
        malformed("a name twice", {}, args('{"amount":5,"amount":5}')),
        malformed("a name twice, once with an escape", {}, args('{"amount":50,"\\u0061mount":5}')),
        malformed("a name twice, deep down", {}, args('{"amount":5,"memo":[{"a":1,"a":2}]}')),
        malformed("a lone surrogate", {}, args('{"amount":5,"memo":"\\ud800"}')),
        ...[
          "",
          "null",
          "[5]",
          '"amount"',
          "5",
          '{"amount":5',
          '{"amount":5}{}',
          '{"amount":05}',
          "{'amount':5}",
          '{"amount":NaN}',
        ].map((text) => malformed(named(text), {}, args(text))),
      ],
    ),
    actions(
      "603-step-6c",
      "A chain's audience counts for calls too",
      [
        refuse(
          "of the root",
          "audience_refused",
          { step: "6c", hop: 0 },
          { proof: proof(root({ ...GRANT, aud: "https://other.test" }), { aat_tool: "pay", hta }) },
        ),
      ],
      { chain: [root({ ...GRANT, aud: "https://other.test" })], audience: ME },
    ),
  ];
}
