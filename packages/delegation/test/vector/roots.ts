import type { Json } from "@behest/jws";
import { issuer, second } from "./key.ts";
import { refusedRoot } from "./root-steps.ts";
import { ISSUER, NOW, granting, root } from "./token.ts";
import { type Case, type Vector, accept, delegations, refuse } from "./vector.ts";

type Changes = Parameters<typeof root>[0];
type More = { readonly [member: string]: Json };

const DAY = 86_400;
const OPEN = { "*": { constraint_type: "wildcard" } };

function good(name: string, changes: Changes = {}, more: More = {}, result?: Json): Case {
  return accept(name, { chain: [root(changes)], ...more }, result);
}

function ordinary(): readonly Vector[] {
  const untrusted = refusedRoot("issuer_untrusted", "3k");
  const [jwk, alice, acme] = [issuer.jwk, { subjects: ["alice"] }, { tenants: ["acme"] }];
  const anchor = (more: More): More => ({ anchors: [{ iss: ISSUER, jwk, ...more }] });
  return [
    delegations("001-root", "What a root may look like", [
      good(
        "plain",
        {},
        {},
        { principal: ISSUER, issuer: ISSUER, consent: { rung: "local" }, hops: 1, tools: { t: OPEN } },
      ),
      good("iat 30 seconds ahead", { iat: NOW + 30 }),
      good("exp a second ahead", { exp: NOW + 1 }),
      good("a lifetime of 90 days", { exp: NOW - 100 + 90 * DAY }),
      good(
        "a longer lifetime where the limit allows it",
        { exp: NOW + 91 * DAY },
        { limits: { max_token_lifetime: 92 * DAY } },
      ),
      good("may not be handed on", { del_max_depth: 0 }),
      good("may be handed on 8 times", { del_max_depth: 8 }),
      good("grants no tool", granting({}), {}, { tools: {} }),
      good("an entry of another type beside the grant", {
        authorization_details: [
          { type: "other", tools: 7 },
          7,
          { type: "attenuating_agent_token", tools: { t: {} } },
        ],
      }),
      good("unknown claims", { nbf: NOW + 9, scope: "all", act: { sub: "x" }, "": null, ["__proto__"]: {} }),
      good(
        "tools and arguments named like members of every object",
        granting({ ["__proto__"]: { constructor: { constraint_type: "wildcard" } }, toString: {} }),
        {},
        {
          tools: { ["__proto__"]: { constructor: { constraint_type: "wildcard" } }, toString: OPEN },
        },
      ),
      accept("claims in another order, with white space", {
        chain: [
          root(
            {},
            {
              text: (claims) =>
                ` ${JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(claims) as object).toReversed()), null, 1)}\n`,
            },
          ),
        ],
      }),
    ]),
    delegations("002-issuers", "Which issuer, and what it may assert (step 3k)", [
      accept("two keys of one issuer", {
        chain: [root()],
        anchors: [
          { iss: ISSUER, jwk: second.jwk },
          { iss: ISSUER, jwk },
        ],
      }),
      good(
        "one key of two issuers",
        {},
        {
          anchors: [
            { iss: "https://other.test", jwk },
            { iss: ISSUER, jwk },
          ],
        },
      ),
      good("a URN", { iss: "urn:example:office" }, { anchors: [{ iss: "urn:example:office", jwk }] }),
      good("a subject that is named", { sub: "alice" }, anchor(alice), { principal: "alice" }),
      untrusted("a subject that is not", { sub: "bob" }, {}, anchor(alice)),
      untrusted("a part of one that is", { sub: "ali" }, {}, anchor(alice)),
      untrusted("no subject, where subjects are named", {}, {}, anchor(alice)),
      good("a tenant that is named", { sub: "u", tenant: "acme" }, anchor(acme), { tenant: "acme" }),
      untrusted("a tenant that is not", { sub: "u", tenant: "acme2" }, {}, anchor(acme)),
      untrusted("no tenant, where tenants are named", { sub: "u" }, {}, anchor(acme)),
      untrusted("no tenant may be asserted", { tenant: "acme" }, {}, anchor({ tenants: [] })),
      untrusted(
        "right for one anchor in tenant, for another in subject",
        { sub: "alice", tenant: "acme" },
        {},
        {
          anchors: [
            { iss: ISSUER, jwk, tenants: ["other"], ...alice },
            { iss: ISSUER, jwk, ...acme, subjects: ["bob"] },
          ],
        },
      ),
      refuse("no anchors", "issuer_untrusted", { step: "3b", hop: 0 }, { chain: [root()], anchors: [] }),
    ]),
  ];
}

function before(): readonly Vector[] {
  const chain = [root({ jti: "a" }), root({ jti: "b", "": "longer" })];
  const [short, long] = [chain[0]!.length, chain[1]!.length];
  const refused = (name: string, step: string, more: More, hop?: number): Case =>
    refuse(name, "malformed_delegation", { step, ...(hop !== undefined && { hop }) }, more);
  const noId = (name: string, token: string): Case => refused(name, "2c", { chain: [token] }, 0);
  return [
    delegations("010-step-1", "A chain has a token", [refused("none", "1", { chain: [] })]),
    delegations("011-step-2a", "Tokens have a greatest size, in bytes", [
      accept("just as long", { chain: [chain[0]!], limits: { max_token_size: short } }),
      refused("a byte too long", "2a", { chain: [chain[0]!], limits: { max_token_size: short - 1 } }, 0),
      refused("the second is", "2a", { chain, limits: { max_token_size: long - 1 } }, 1),
    ]),
    delegations("012-step-2b", "So have chains", [
      accept("just as long", { chain: [chain[0]!], limits: { max_chain_size: short } }),
      refused("a byte too long", "2b", { chain, limits: { max_chain_size: short + long - 1 } }),
    ]),
    delegations("013-step-2c", "Each token has its jti", [
      noId("none", root({ jti: undefined })),
      noId("a number", root({ jti: 7 })),
      noId("null", root({ jti: null })),
      noId("claims are an array", root({}, { text: (claims) => `[${claims}]` })),
      noId("claims are not JSON", root({}, { text: (claims) => `${claims}}` })),
      noId("only inside another claim", root({ jti: undefined, x: { jti: "root" } })),
      refuse(
        "twice the same token",
        "chain_broken",
        { step: "2c", hop: 1 },
        { chain: [chain[0]!, chain[0]!] },
      ),
      refuse(
        "the same jti, once written with an escape",
        "chain_broken",
        { step: "2c", hop: 1 },
        {
          chain: [
            chain[0]!,
            root({ jti: "a" }, { text: (claims) => claims.replace('"jti":"a"', '"jti":"\\u0061"') }),
          ],
        },
      ),
    ]),
  ];
}

/** Roots that are accepted, their issuers, and steps 1 and 2. */
export function roots(): readonly Vector[] {
  return [...ordinary(), ...before()];
}
