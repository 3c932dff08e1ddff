import { type Json, sha256, toBase64url } from "@behest/jws";
import type { DelegationCode } from "../../src/index.ts";
import { first, second } from "./key.ts";
import { ISSUER, NOW, child, granting, hashOf, root } from "./token.ts";
import { type Case, type Vector, delegations, refuse } from "./vector.ts";

type Changes = Parameters<typeof child>[1];
type Signing = Parameters<typeof child>[2];
type More = { readonly [member: string]: Json };

const HOLDER_URI = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";
export const grant = granting({ t: { p: { constraint_type: "range", min: 0, max: 9 } }, u: {} });
export const parent = root(grant);
export const given = { chain: [parent] };

/** Children of one root that one step refuses. */
export function refusedChild(code: DelegationCode, step: string, held = parent) {
  return (name: string, changes: Changes, signing: Signing = {}, more: More = {}): Case =>
    refuse(name, code, { step, hop: 1 }, { leaf: child(held, changes, signing), ...more });
}

/** Steps 4c to 4q. */
export function childSteps(): readonly Vector[] {
  const iss = refusedChild("chain_broken", "4c");
  const terminal = root({ del_max_depth: 0 });
  const hash = refusedChild("chain_broken", "4q");
  const entries = (name: string, details: Json): Case =>
    refusedChild("malformed_delegation", "4n")(name, { authorization_details: details });
  const rule = (name: string, constraint: Json): Case =>
    refusedChild("malformed_grant", "4o")(name, granting({ u: { p: constraint } }));
  const wider = (step: string, name: string, tools: Json): Case =>
    refusedChild("wider_than_parent", step)(name, granting(tools));
  const entry = { type: "attenuating_agent_token", tools: {} };
  const life = (step: string) => refusedChild("lifetime_refused", step);
  return [
    delegations(
      "117-step-4c",
      "iss of a child is the thumbprint of the parent's holder",
      [
        iss("the root's", { iss: ISSUER }),
        iss("the child's own holder", { iss: HOLDER_URI + second.thumbprint }),
        iss("the thumbprint alone", { iss: first.thumbprint }),
        iss("in capitals", { iss: HOLDER_URI.toUpperCase() + first.thumbprint }),
        iss("of another hash", { iss: HOLDER_URI.replace("sha-256", "sha-512") + first.thumbprint }),
        iss("padded", { iss: `${HOLDER_URI}${first.thumbprint}=` }),
      ],
      given,
    ),
    delegations(
      "118-step-4d",
      "del_depth is the parent's plus one",
      [0, 2, 3].map((depth) => refusedChild("chain_broken", "4d")(String(depth), { del_depth: depth })),
      given,
    ),
    delegations(
      "119-step-4e",
      "A terminal token has no children",
      [
        refusedChild("depth_exceeded", "4e", terminal)("the same del_max_depth", {}),
        refusedChild("depth_exceeded", "4e", terminal)("a higher del_max_depth", { del_max_depth: 3 }),
      ],
      { chain: [terminal] },
    ),
    delegations(
      "120-step-4g",
      "del_max_depth only falls",
      [refusedChild("wider_than_parent", "4g")("one more", { del_max_depth: 4 })],
      given,
    ),
    delegations(
      "121-step-4h",
      "exp is not after the parent's",
      [refusedChild("wider_than_parent", "4h")("a second", { exp: NOW + 3601 })],
      given,
    ),
    delegations(
      "122-step-4i",
      "A child has not expired",
      [0, 50].map((ago) => refusedChild("delegation_expired", "4i")(`exp ${ago} s ago`, { exp: NOW - ago })),
      given,
    ),
    delegations(
      "123-step-4j",
      "iat is not before the parent's",
      [life("4j")("a second", { iat: NOW - 101 })],
      given,
    ),
    delegations(
      "124-step-4k",
      "A child is not of the future",
      [life("4k")("iat 31 s ahead", { iat: NOW + 31 })],
      given,
    ),
    delegations(
      "125-step-4l",
      "exp is after iat",
      [
        life("4l")("both at once", { iat: NOW + 20, exp: NOW + 20 }),
        life("4l")("exp first", { iat: NOW + 20, exp: NOW + 10 }),
      ],
      given,
    ),
    delegations(
      "126-step-4m",
      "del_depth is within its own del_max_depth",
      [refusedChild("depth_exceeded", "4m")("1 of 0", { del_max_depth: 0 })],
      given,
    ),
    delegations(
      "127-step-4n",
      "At most one entry with a grant",
      [
        entries("two", [entry, entry]),
        entries("no tools", [{ type: "attenuating_agent_token" }]),
        entries("tools an array", [{ ...entry, tools: [] }]),
        entries("a tool null", [{ ...entry, tools: { t: null } }]),
      ],
      given,
    ),
    delegations(
      "128-step-4o",
      "Constraints of a child are well-formed",
      [
        rule("an unknown type, even under a wildcard", { constraint_type: "regex", pattern: "." }),
        rule("a stray member", { constraint_type: "wildcard", note: "x" }),
        rule("optional inside all", {
          constraint_type: "all",
          constraints: [{ constraint_type: "wildcard", optional: true }],
        }),
      ],
      given,
    ),
    delegations(
      "129-step-4p",
      "A child grants no more than its parent; the grants files have the rest",
      [
        wider("4p1", "another tool", { v: {} }),
        wider("4p1", "the tool in capitals", { T: {} }),
        wider("4p2", "another argument", {
          t: { p: { constraint_type: "exact", value: 1 }, q: { constraint_type: "exact", value: 1 } },
        }),
        wider("4p2", "any argument", { t: {} }),
        wider("4p3", "a required argument made optional", {
          t: { p: { constraint_type: "exact", value: 1, optional: true } },
        }),
        wider("4p4", "a wider range", { t: { p: { constraint_type: "range", min: 0, max: 10 } } }),
        wider("4p1", "several: the first step counts", { t: { p: { constraint_type: "wildcard" } }, v: {} }),
      ],
      given,
    ),
    delegations(
      "130-step-4q",
      "par_hash is that of the parent's header and claims",
      [
        hash("of the whole token", { par_hash: toBase64url(sha256(parent)) }),
        hash("of the claims", { par_hash: toBase64url(sha256(parent.split(".")[1]!)) }),
        hash("in hexadecimal", { par_hash: Buffer.from(hashOf(parent), "base64url").toString("hex") }),
        hash("padded", { par_hash: `${hashOf(parent)}=` }),
        hash("of another token", { par_hash: hashOf(root({ jti: "x" })) }),
        hash("empty", { par_hash: "" }),
      ],
      given,
    ),
  ];
}
