import type { Json } from "@behest/jws";
import type { DelegationCode } from "../../src/index.ts";
import { first, issuer, stranger } from "./key.ts";
import { ANCHORS, NOW, granting, restricting, root, segment } from "./token.ts";
import { type Case, type Vector, accept, delegations, named, refuse } from "./vector.ts";

type Changes = Parameters<typeof root>[0];
type Signing = Parameters<typeof root>[1];
type More = { readonly [member: string]: Json };

const DAY = 86_400;

/** Roots that one step refuses. */
export function refusedRoot(code: DelegationCode, step: string) {
  return (name: string, changes: Changes, signing: Signing = {}, more: More = {}): Case =>
    refuse(name, code, { step, hop: 0 }, { chain: [root(changes, signing)], ...more });
}

function headers(): Vector {
  const refused = (name: string, header: Changes | string): Case =>
    refusedRoot("header_refused", "3a")(name, {}, { header });
  const also = (name: string, header: Changes): Case => accept(name, { chain: [root({}, { header })] });
  return delegations("020-step-3a", "alg, typ and crit of a root", [
    also("members that only inform", { kid: "k1", cty: "JWT", note: { a: [1.5, null] } }),
    also("a key and where to get keys, which nobody uses", {
      jwk: stranger.jwk,
      jku: "https://evil.test/jwks.json",
      x5u: "https://evil.test/x",
      x5c: ["AA=="],
    }),
    refuse(
      "that key is not used either",
      "issuer_untrusted",
      { step: "3b", hop: 0 },
      { chain: [root({}, { header: { jwk: stranger.jwk }, key: stranger })] },
    ),
    ...[undefined, null, "none", "EdDSA", "ed25519", "HS256", "ES256", ["Ed25519"]].map((alg) =>
      refused(`alg ${named(alg)}`, { alg }),
    ),
    ...[undefined, null, "JWT", "at+jwt", "AAT+JWT", "application/aat+jwt", "aat-pop+jwt"].map((typ) =>
      refused(`typ ${named(typ)}`, { typ }),
    ),
    refused("crit empty", { crit: [] }),
    refused("crit null", { crit: null }),
    refused("crit a string", { crit: "bhst", bhst: { fan_out: 1 } }),
    refused("crit of what nobody knows", { crit: ["x"], x: 1 }),
    refused("crit of a standard member", { crit: ["typ"] }),
    refused("crit of b64", { crit: ["b64"], b64: false }),
    refused("crit of an absent member", { crit: ["bhst"] }),
    refused("crit names one twice", { ...restricting({ fan_out: 1 }), crit: ["bhst", "bhst"] }),
    refused("an array", '["Ed25519"]'),
    refused("not JSON", '{"alg":"Ed25519","typ":"aat+jwt"'),
    refused("empty", ""),
  ]);
}

function signatures(): Vector {
  const other = root({ jti: "other" });
  const refused = (why: string, token: string): Case =>
    refuse(why, "issuer_untrusted", { step: "3b", hop: 0 }, { chain: [token] });
  const date = refusedRoot("malformed_delegation", "3b");
  return delegations("021-step-3b", "Signature and dates of a root", [
    refused("another's signature", root({}, { key: stranger })),
    refused("the holder's own", root({}, { key: first })),
    refused(
      "the signature of another token",
      segment(root(), 2, () => other.split(".")[2]!),
    ),
    refused(
      "claims of another token",
      segment(root(), 1, () => other.split(".")[1]!),
    ),
    refused(
      "a header of other bytes",
      segment(root(), 0, (head) =>
        Buffer.from(` ${Buffer.from(head, "base64url").toString()}`).toString("base64url"),
      ),
    ),
    refused(
      "no signature",
      segment(root(), 2, () => ""),
    ),
    ...[undefined, null, true, String(NOW), NOW + 0.5].map((iat) => date(`iat ${named(iat)}`, { iat })),
    ...[undefined, null, [NOW + 9], String(NOW + 9), NOW + 9.5].map((exp) =>
      date(`exp ${named(exp)}`, { exp }),
    ),
    date("exp beyond 2^53", {}, { text: (claims) => claims.replace(/"exp":\d+/, '"exp":9007199254740993') }),
  ]);
}

function claims(): readonly Vector[] {
  const each = (id: string, title: string, cases: readonly Case[]): Vector => delegations(id, title, cases);
  const depth = refusedRoot("chain_broken", "3c");
  const life = (step: string) => refusedRoot("lifetime_refused", step);
  const most = refusedRoot("malformed_delegation", "3i");
  const iss = refusedRoot("issuer_untrusted", "3k");
  const cnf = refusedRoot("malformed_delegation", "3l");
  const entry = refusedRoot("malformed_delegation", "3m");
  const grant = (why: string, details: Json | undefined): Case =>
    entry(why, { authorization_details: details });
  const rule = (why: string, constraint: Json, more: More = {}): Case =>
    refusedRoot("malformed_grant", "3n")(why, granting({ t: { p: constraint } }), {}, more);
  const nested = {
    constraint_type: "all",
    constraints: [{ constraint_type: "any", constraints: [{ constraint_type: "wildcard" }] }],
  };
  const key = first.jwk;
  return [
    each(
      "022-step-3c",
      "del_depth of a root is 0",
      [undefined, null, 1, -1, "0", false, [0]].map((value) => depth(named(value), { del_depth: value })),
    ),
    each(
      "023-step-3d",
      "A root has no par_hash",
      ["", "AAAA", null].map((value) => refusedRoot("chain_broken", "3d")(named(value), { par_hash: value })),
    ),
    each(
      "024-step-3e",
      "A root has not expired",
      [0, 1, 50].map((ago) =>
        refusedRoot("delegation_expired", "3e")(`exp ${ago} s ago`, { exp: NOW - ago }),
      ),
    ),
    each("025-step-3f", "A root is not of the future", [
      life("3f")("iat 31 s ahead", { iat: NOW + 31 }),
      life("3f")(
        "iat a second ahead, where no skew is allowed",
        { iat: NOW + 1 },
        {},
        { limits: { max_iat_skew: 0 } },
      ),
    ]),
    each("026-step-3g", "exp is after iat", [
      life("3g")("both at once", { iat: NOW + 20, exp: NOW + 20 }),
      life("3g")("exp first", { iat: NOW + 20, exp: NOW + 10 }),
    ]),
    each("027-step-3h", "A root does not live too long", [
      life("3h")("90 days and a second", { exp: NOW - 100 + 90 * DAY + 1 }),
    ]),
    each("028-step-3i", "del_max_depth is an integer of 0 to 8", [
      ...[undefined, null, 9, -1, 1.5, "3", true].map((value) =>
        most(named(value), { del_max_depth: value }),
      ),
      most("3, where 2 is the most", {}, {}, { limits: { max_delegation_depth: 2 } }),
    ]),
    each("029-step-3j", "jti is not empty", [
      refusedRoot("malformed_delegation", "3j")("empty", { jti: "" }),
    ]),
    each("030-step-3k", "iss is the anchor's, exactly", [
      ...[undefined, null, 7, "", "https://other.test", "https://issuer.test/", "https://ISSUER.test"].map(
        (value) => iss(named(value), { iss: value }),
      ),
      iss(
        "not a URI, although an anchor has that name",
        { iss: "issuer" },
        {},
        { anchors: [{ iss: "issuer", jwk: issuer.jwk }] },
      ),
      iss(
        "signed by the key of another anchor",
        {},
        { key: stranger },
        { anchors: [...ANCHORS, { iss: "https://other.test", jwk: stranger.jwk }] },
      ),
    ]),
    each("031-step-3l", "cnf.jwk is a public key", [
      cnf("no cnf", { cnf: undefined }),
      cnf("cnf null", { cnf: null }),
      cnf("no jwk", { cnf: { jkt: first.thumbprint } }),
      cnf("a thumbprint for a key", { cnf: { jwk: first.thumbprint } }),
      cnf("an array", { cnf: { jwk: [key] } }),
      cnf("no x", { cnf: { jwk: { kty: "OKP", crv: "Ed25519" } } }),
    ]),
    each("032-step-3m", "One entry with a grant", [
      grant("no authorization_details", undefined),
      grant("an object", { type: "attenuating_agent_token", tools: {} }),
      grant("empty", []),
      grant("only another type", [{ type: "Attenuating_Agent_Token", tools: {} }]),
      grant(
        "two entries",
        [1, 2].map(() => ({ type: "attenuating_agent_token", tools: {} })),
      ),
      grant("no tools", [{ type: "attenuating_agent_token" }]),
      ...[null, [], "t"].map((tools) => entry(`tools ${named(tools)}`, granting(tools))),
      ...[null, [], true, 7].map((map) => entry(`a tool ${named(map)}`, granting({ t: map }))),
    ]),
    each("033-step-3n", "Constraints of a root are well-formed", [
      rule("an unknown type", { constraint_type: "regex", pattern: "." }),
      rule("one on a tool that nobody calls", { constraint_type: "cel", expression: "true" }),
      rule("no type", {}),
      rule("null", null),
      rule("an array", [{ constraint_type: "wildcard" }]),
      rule("deeper than the limit", nested, { limits: { max_constraint_depth: 2 } }),
      accept("as deep as the limit", {
        chain: [root(granting({ t: { p: nested } }))],
        limits: { max_constraint_depth: 3 },
      }),
      rule("all of nothing", { constraint_type: "all", constraints: [] }),
      rule("any of nothing", { constraint_type: "any", constraints: [] }),
    ]),
  ];
}

/** Step 3. */
export function rootSteps(): readonly Vector[] {
  return [headers(), signatures(), ...claims()];
}
