import type { Json } from "@behest/jws";
import type { DelegationCode } from "../../src/index.ts";
import { first, second } from "./key.ts";
import { type Rule, all, any, exact, notOneOf, oneOf, range, rule } from "./rule.ts";
import { ANCHORS, NOW, child, granting, root } from "./token.ts";
import { type Case, type Vector, accept, named, refuse } from "./vector.ts";

type Asked = { readonly [member: string]: Json };

const prefix = (text: string): Rule => rule("prefix", { prefix: text });
const path = (under: string): Rule => rule("path", { under });
const domain = (name: string): Rule => rule("email", { domain: name });

export function deriving(id: string, title: string, cases: readonly Case[], more: Asked = {}): Vector {
  return {
    id,
    title,
    replay: "derive",
    given: { anchors: ANCHORS, now: NOW, holder_seed: first.seed, ...more },
    cases,
  };
}

/** One argument's rule under another: what is left of it, or nothing. */
export function one(parent: Rule, wanted: Rule, left: Rule | undefined, narrow: boolean): Case {
  const name = `${named(parent)} and ${named(wanted)}`;
  const input = {
    chain: [root(granting({ t: { v: parent } }))],
    request: { tools: { t: { v: wanted } }, ...(narrow && { narrow }) },
  };
  return left
    ? accept(name, input, { tools: { t: { v: left } } })
    : refuse(name, "wider_than_parent", {}, input);
}

function asked(): Vector {
  const tools = { t: { v: range("[0,9]") }, u: {} };
  const parent = root({ ...granting(tools), del_max_depth: 2 });
  const terminal = root({ del_max_depth: 0 });
  const wider = (name: string, request: Asked, ...places: [string, string, string][]): Case => ({
    ...refuse(name, "wider_than_parent", {}, { request }),
    wider: places.map(([place, held, wanted]) => ({ path: place, parent: held, child: wanted })),
  });
  const refused = (name: string, code: DelegationCode, request: Asked, more: Asked = {}): Case =>
    refuse(name, code, {}, { request, ...more });
  return deriving(
    "700-derive",
    "A child as asked for, or nothing",
    [
      accept("all of the parent's", { request: { tools } }, { exp: NOW + 3600, del_max_depth: 2, hops: 2 }),
      accept(
        "less",
        { request: { tools: { t: { v: exact(3) } }, expires_in: 60, max_depth: 1 } },
        { tools: { t: { v: exact(3) } }, exp: NOW + 60, del_max_depth: 1 },
      ),
      accept("nothing", { request: { tools: {} } }, { tools: {} }),
      accept("all that is left of the time", { request: { tools, expires_in: 3600 } }, { exp: NOW + 3600 }),
      accept(
        "by the second holder",
        { chain: [parent, child(parent)], holder_seed: second.seed, request: { tools: {} } },
        { hops: 3 },
      ),
      wider("a wider rule", { tools: { t: { v: range("[0,10]") } } }, ["tools.t.v", "range", "range"]),
      wider("another tool", { tools: { w: {} } }, ["tools.w", "not granted", "granted"]),
      wider("longer", { tools, expires_in: 3601 }, ["exp", "in 3600 s", "in 3601 s"]),
      wider("deeper", { tools, max_depth: 3 }, ["maxDepth", "2", "3"]),
      wider(
        "all of that",
        { tools: { t: {} }, expires_in: 9999, max_depth: 8 },
        ["tools.t.*", "named arguments only", "any argument"],
        ["tools.t.v", "required", "left out"],
        ["maxDepth", "2", "8"],
        ["exp", "in 3600 s", "in 9999 s"],
      ),
      refused("no deeper", "depth_exceeded", { tools: {} }, { chain: [terminal] }),
      refused("another's key", "holder_mismatch", { tools }, { holder_seed: second.seed }),
      refused("a depth above itself", "malformed_request", { tools, max_depth: 0 }),
      refused("no time", "malformed_request", { tools, expires_in: 0 }),
      refused("a rule that is none", "malformed_grant", {
        tools: { t: { v: rule("regex", { pattern: "." }) } },
      }),
      refuse(
        "the parent has expired",
        "delegation_expired",
        { step: "3e", hop: 0 },
        { now: NOW + 3600, request: { tools } },
      ),
    ],
    { chain: [parent] },
  );
}

function rewritten(): Vector {
  const mail = any(domain("a.test"), oneOf("x@b.test", "y@b.test"));
  const few = all(range("[0,100]"), notOneOf(13, 66));
  const cases: readonly [Rule, Rule, Rule | undefined][] = [
    [mail, exact("x@b.test"), any(exact("x@b.test"))],
    [mail, domain("a.test"), any(domain("a.test"))],
    [mail, oneOf("y@b.test"), any(oneOf("y@b.test"))],
    [mail, any(exact("x@a.test"), exact("y@b.test")), any(exact("x@a.test"), exact("y@b.test"))],
    [mail, exact("z@b.test"), undefined],
    [mail, domain("b.test"), undefined],
    [few, range("[20,50]"), all(range("[20,50]"), notOneOf(13, 66))],
    [few, exact(5), all(exact(5), notOneOf(13, 66))],
    [few, range("[0,50]"), undefined],
    [few, exact(13), undefined],
    [oneOf(1, 2), range("[1,1]"), exact(1)],
    [oneOf(1, 2), all(exact(1)), exact(1)],
    [oneOf(1, 2), range("[1,2]"), undefined],
    [exact("a"), oneOf("a"), exact("a")],
    [range("[0,9]"), oneOf(5), exact(5)],
    [range("[0,9]"), any(range("[1,2]")), range("[1,2]")],
    [range("[0,9]"), oneOf(5, 6), undefined],
    [path("/d"), all(exact("/d/a"), prefix("/")), exact("/d/a")],
  ];
  return deriving(
    "701-rewritten",
    "What is narrower is written in a form that the table accepts, and permits the same",
    cases.map(([parent, wanted, left]) => one(parent, wanted, left, false)),
  );
}

/** Deriving what is asked for. Another implementation may write it in other forms that permit the same. */
export function derived(): readonly Vector[] {
  return [asked(), rewritten()];
}
