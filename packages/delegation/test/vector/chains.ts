import type { Json } from "@behest/jws";
import type { DelegationCode } from "../../src/index.ts";
import { grant, parent } from "./child-steps.ts";
import { first, third } from "./key.ts";
import { ISSUER, ME, NOW, child, granting, root } from "./token.ts";
import { type Case, type Vector, accept, delegations, refuse } from "./vector.ts";

type More = { readonly [member: string]: Json };

function whole(): readonly Vector[] {
  const middle = child(parent);
  const leaf = child(middle);
  const deep = [root({ del_max_depth: 8 })];
  while (deep.length < 9) deep.push(child(deep.at(-1)!, { cnf: { jwk: first.jwk } }));
  const other = root({ ...grant, jti: "other" });
  const empty = child(parent, { authorization_details: [] });
  const refused = (
    name: string,
    code: DelegationCode,
    step: string,
    hop: number,
    chain: readonly string[],
  ): Case => refuse(name, code, { step, hop }, { chain });
  return [
    delegations("100-chain", "Chains as they should be", [
      accept("two tokens", { chain: [parent, middle] }, { hops: 2, issuer: ISSUER }),
      accept("three tokens", { chain: [parent, middle, leaf] }, { hops: 3 }),
      accept("nine tokens, the most there can be, bound to one key", { chain: deep }, { hops: 9 }),
      accept(
        "ends when its parent does, and is as old",
        { chain: [parent, child(parent)] },
        { exp: NOW + 3600 },
      ),
      accept(
        "ends sooner, and may not be handed on",
        { chain: [parent, child(parent, { iat: NOW + 30, exp: NOW + 31, del_max_depth: 1 })] },
        { exp: NOW + 31, del_max_depth: 1 },
      ),
      accept(
        "a narrower grant",
        {
          chain: [
            parent,
            child(parent, granting({ t: { p: { constraint_type: "range", min: 1, max: 5 } } })),
          ],
        },
        {
          tools: { t: { p: { constraint_type: "range", min: 1, max: 5 } } },
        },
      ),
      accept("a grant of nothing", { chain: [parent, child(parent, granting({}))] }, { tools: {} }),
      accept(
        "no entry on the way, a grant of nothing at the end",
        { chain: [parent, empty, child(empty, granting({}))] },
        { tools: {} },
      ),
      accept("an entry of another type", {
        chain: [
          parent,
          child(parent, {
            authorization_details: [{ type: "other" }, { type: "attenuating_agent_token", tools: { u: {} } }],
          }),
        ],
      }),
    ]),
    delegations("101-order", "Tokens that do not belong together", [
      refused("leaf first", "issuer_untrusted", "3b", 0, [middle, parent]),
      refused("the leaf alone", "issuer_untrusted", "3b", 0, [middle]),
      refused("the middle left out", "signature_invalid", "4b", 1, [parent, leaf]),
      refused("two roots", "signature_invalid", "4b", 1, [parent, other]),
      refused("a child of another root with the same holder", "chain_broken", "4q", 1, [
        parent,
        child(other),
      ]),
      refused("a sibling's child", "chain_broken", "4q", 2, [
        parent,
        child(parent, { jti: "sibling" }),
        leaf,
      ]),
      refused("a leaf with no entry", "tool_not_granted", "6a", 1, [parent, empty]),
      refused("an entry of another type only", "tool_not_granted", "6a", 1, [
        parent,
        child(parent, { authorization_details: [{ type: "other", tools: {} }] }),
      ]),
      refused("a grant under one of nothing", "wider_than_parent", "4p1", 2, [
        parent,
        empty,
        child(empty, granting({ t: {} })),
      ]),
    ]),
  ];
}

function audience(): Vector {
  const chain = (rootAud: Json | undefined, childAud: Json | undefined): More => {
    const held = root({ aud: rootAud });
    return { chain: childAud === undefined ? [held] : [held, child(held, { aud: childAud })] };
  };
  const refused = (name: string, hop: number | undefined, more: More): Case =>
    refuse(name, "audience_refused", { step: "6c", ...(hop !== undefined && { hop }) }, more);
  const one = (name: string, aud: Json): Case => refused(name, 0, chain(aud, undefined));
  return delegations(
    "140-step-6c",
    "aud names the verifier, wherever it stands",
    [
      accept("no aud", chain(undefined, undefined)),
      accept("a string", chain(ME, undefined)),
      accept("an array", chain(["https://other.test", ME], undefined)),
      accept("of the child", chain(undefined, ME)),
      accept("of both", chain([ME, "x"], ME)),
      accept("required and there", { ...chain(undefined, ME), require_chain_audience: true }),
      refused("required and not there", undefined, {
        ...chain(undefined, undefined),
        require_chain_audience: true,
      }),
      one("another", "https://other.test"),
      one("in capitals", "https://ME.test"),
      one("with a slash", "https://me.test/"),
      one("a part of it", "https://me"),
      one("empty", ""),
      one("an empty array", []),
      one("null", null),
      one("an array with something else in it", [ME, 7]),
      one("an array in an array", [[ME]]),
      one("an object", { [ME]: ME }),
      refused("the root's another, the child's right", 0, chain("https://other.test", ME)),
      refused("the root's right, the child's another", 1, chain(ME, "https://other.test")),
    ],
    { audience: ME },
  );
}

function nameless(): Vector {
  const held = root({ aud: ME });
  return delegations("141-step-6c-without-a-name", "A verifier without a name of its own", [
    accept("no aud", { chain: [root()] }),
    refuse("an aud", "audience_refused", { step: "6c", hop: 0 }, { chain: [held] }),
    refuse("an empty one", "audience_refused", { step: "6c", hop: 0 }, { chain: [root({ aud: "" })] }),
    refuse(
      "of a child",
      "audience_refused",
      { step: "6c", hop: 1 },
      { chain: [root()], leaf: child(root(), { aud: ME, cnf: { jwk: third.jwk } }) },
    ),
  ]);
}

/** Chains as wholes: their order, what their leaf grants (6a), and their audience (6c). */
export function chains(): readonly Vector[] {
  return [...whole(), audience(), nameless()];
}
