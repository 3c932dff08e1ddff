import type { Json } from "@behest/jws";
import { deriving, one } from "./deriving.ts";
import { type Rule, all, any, contains, exact, notOneOf, oneOf, range, rule, subset } from "./rule.ts";
import { NOW, granting, restricting, root } from "./token.ts";
import { type Case, type Vector, accept, refuse } from "./vector.ts";

type Asked = { readonly [member: string]: Json };

const prefix = (text: string): Rule => rule("prefix", { prefix: text });
const path = (under: string): Rule => rule("path", { under });
const url = (base: string): Rule => rule("url", { base });
const domain = (name: string): Rule => rule("email", { domain: name });
const decimal = (min: string, max: string): Rule => rule("decimal", { min, max });
const wildcard = rule("wildcard");
const maybe = (constraint: Rule): Rule => ({ ...constraint, optional: true });

function rules(): Vector {
  const offices = any(domain("a.test"), domain("b.test"));
  const cases: readonly [Rule, Rule, Rule | undefined][] = [
    [range("[0,10]"), range("[5,20]"), range("[5,10]")],
    [range("[0,10]"), range("(,)"), range("[0,10]")],
    [range("[0,10)"), range("(0,10]"), range("(0,10)")],
    [range("[0,10]"), range("[11,20]"), undefined],
    [range("[0,5)"), range("[5,20]"), undefined],
    [range("[0,10]"), oneOf(5, 20), exact(5)],
    [range("[0,10]"), oneOf(5, 6, 20), undefined],
    [range("[0,10]"), notOneOf(11), range("[0,10]")],
    [range("[0,10]"), notOneOf(5), undefined],
    [range("[0,10]"), wildcard, range("[0,10]")],
    [wildcard, range("[0,10]"), range("[0,10]")],
    [range("[0,10]"), all(range("[5,20]"), notOneOf(11)), range("[5,10]")],
    [range("[0,10]"), any(range("[-5,3]"), range("[-5,7]")), range("[0,7]")],
    [oneOf(1, 2, 3), oneOf(3, 4, 2), oneOf(2, 3)],
    [oneOf(1, 2, 3), range("[2,9]"), oneOf(2, 3)],
    [oneOf(1, 2, 3), notOneOf(2), oneOf(1, 3)],
    [oneOf(1, 2, 3), oneOf("1", 4), undefined],
    [oneOf("/d/a", "/e"), path("/d"), oneOf("/d/a")],
    [exact("a"), exact("b"), undefined],
    [notOneOf("a"), notOneOf("b"), notOneOf("a", "b")],
    [notOneOf("a"), prefix("b"), undefined],
    [contains(1), contains(2), contains(1, 2)],
    [subset(1, 2), subset(2, 3), subset(2)],
    [subset(1), subset(3), subset()],
    [prefix("a"), prefix("ab"), prefix("ab")],
    [prefix("ab"), prefix("a"), prefix("ab")],
    [prefix("a"), prefix("b"), undefined],
    [path("/d/e"), path("/d"), path("/d/e")],
    [path("/d"), path("/e"), undefined],
    [url("https://*.h.test/p"), url("https://a.h.test"), url("https://a.h.test/p")],
    [url("https://h.test"), url("https://*.h.test"), undefined],
    [decimal("0", "10"), decimal("5", "20"), decimal("5", "10")],
    [decimal("0", "1"), decimal("2", "3"), undefined],
    [domain("a.test"), offices, domain("a.test")],
    [offices, any(domain("b.test"), domain("c.test")), any(domain("b.test"))],
    [offices, oneOf("x@a.test", "x@c.test"), any(oneOf("x@a.test"))],
    [all(notOneOf(5), range("[0,9]")), range("[3,20]"), all(range("[3,20]"), notOneOf(5), range("[0,9]"))],
  ];
  return deriving(
    "702-narrowed",
    "With narrow, of a wider rule what both permit",
    cases.map(([parent, wanted, left]) => one(parent, wanted, left, true)),
  );
}

function maps(): Vector {
  const [a, b, two] = [oneOf("a"), oneOf("b"), oneOf("a", "b")];
  const under = (name: string, parent: Json, wanted: Json, left: Json | undefined): Case => {
    const input = {
      chain: [root(granting({ ...(parent as object), z: {} }))],
      request: { tools: { ...(wanted as object), z: {}, y: {} }, narrow: true },
    };
    return accept(name, input, { tools: { ...(left as object | undefined), z: { "*": wildcard } } });
  };
  const map = (name: string, parent: Json, wanted: Json, left: Json | undefined): Case =>
    under(name, { t: parent }, { t: wanted }, left && { t: left });
  return deriving(
    "703-narrowed-tools",
    "With narrow, of tools and arguments what both permit; y is never granted, z always",
    [
      map("both name it", { p: two }, { p: oneOf("b", "c") }, { p: b }),
      map("required stays required", { p: two }, { p: maybe(a) }, { p: a }),
      map("optional becomes required", { p: maybe(two) }, { p: a }, { p: a }),
      map("nothing in common for what is required: no tool", { p: a }, { p: b }, undefined),
      map(
        "nothing in common for what is optional: not that argument",
        { p: maybe(a), q: wildcard },
        { p: maybe(b), q: wildcard },
        { q: wildcard },
      ),
      map(
        "nor any other",
        { p: maybe(a), q: wildcard, "*": wildcard },
        { p: maybe(b), q: wildcard, "*": wildcard },
        { q: wildcard },
      ),
      map("not named by the parent", { p: a }, { p: a, q: maybe(a) }, { p: a }),
      map("not named by the parent, and required: no tool", { p: a }, { p: a, q: a }, undefined),
      map("not named by an open parent", { p: a, "*": wildcard }, { p: a, q: b }, { p: a, q: b }),
      map("left out", { p: a, q: maybe(a) }, { p: a, y: maybe(a) }, { p: a }),
      map("required, and left out: no tool", { p: a, q: a }, { p: a }, undefined),
      map("any argument", { p: a, q: maybe(a) }, {}, { p: a, q: maybe(a) }),
      map(
        "any argument under an open parent",
        { p: a, "*": wildcard },
        { "*": wildcard },
        { p: a, "*": wildcard },
      ),
      map("no argument left, which cannot be said: no tool", { p: maybe(a) }, { q: maybe(a) }, undefined),
    ],
  );
}

function terms(): Vector {
  const limits = { subtree: { calls: 9, amount: { EUR: "500.00", USD: "5" } } };
  const D = "A".repeat(43);
  const held = {
    workspace: "acme/fin",
    limits,
    fan_out: 3,
    effects: ["read", "reversible"],
    approvals: { pay: { finance: 2 } },
    consent: { min: "oauth" },
  };
  const parent = root({ consent: { rung: "passkey", evidence: D } }, { header: restricting(held) });
  const narrowed = (name: string, bhst: Asked, left: Asked): Case =>
    accept(name, { request: { tools: { t: {} }, narrow: true, bhst } }, { bhst: { ...held, ...left } });
  const apart = (name: string, bhst: Asked): Case =>
    refuse(name, "wider_than_parent", {}, { request: { tools: { t: {} }, narrow: true, bhst } });
  const wider = (name: string, bhst: Asked): Case =>
    refuse(name, "wider_than_parent", {}, { request: { tools: { t: {} }, bhst } });
  const kept = (name: string, bhst: Asked, left: Asked): Case =>
    accept(name, { request: { tools: { t: {} }, bhst } }, { bhst: { ...held, ...left } });
  return deriving(
    "704-narrowed-terms",
    "Time, depth and bhst: what is not asked for stays, what is wider is refused, or with narrow cut",
    [
      accept(
        "longer and deeper",
        { request: { tools: { t: {} }, narrow: true, expires_in: 9999, max_depth: 8 } },
        { exp: NOW + 3600, del_max_depth: 3, bhst: held },
      ),
      accept("nothing asked for", { request: { tools: { t: {} } } }, { bhst: held }),
      kept("a smaller place", { workspace: "acme/fin/x" }, { workspace: "acme/fin/x" }),
      kept(
        "fewer calls, amounts kept",
        { limits: { subtree: { calls: 5 } } },
        { limits: { subtree: { ...limits.subtree, calls: 5 } } },
      ),
      kept(
        "one more scope",
        { limits: { action: { amount: { EUR: "5" } } } },
        { limits: { ...limits, action: { amount: { EUR: "5" } } } },
      ),
      kept(
        "one more group",
        { approvals: { "*": { legal: 1 } } },
        { approvals: { pay: { finance: 2 }, "*": { legal: 1 } } },
      ),
      wider("a larger place", { workspace: "acme" }),
      wider("more calls", { limits: { subtree: { calls: 10 } } }),
      wider("one more currency", { limits: { subtree: { amount: { EUR: "1", CHF: "1" } } } }),
      wider("more effects", { effects: ["read", "irreversible"] }),
      wider("fewer persons", { approvals: { pay: { finance: 1 } } }),
      wider("weaker consent", { consent: { min: "local" } }),
      narrowed("a larger place, cut", { workspace: "acme" }, {}),
      narrowed(
        "more calls, cut",
        { limits: { subtree: { calls: 10, amount: { EUR: "900", CHF: "1" } } } },
        { limits: { subtree: { calls: 9, amount: { EUR: "500.00" } } } },
      ),
      narrowed("more children, cut", { fan_out: 9 }, {}),
      narrowed("other effects, cut", { effects: ["irreversible", "read"] }, { effects: ["read"] }),
      narrowed(
        "fewer persons, not cut",
        { approvals: { pay: { finance: 1, legal: 1 } } },
        { approvals: { pay: { finance: 2, legal: 1 } } },
      ),
      narrowed(
        "weaker consent, not cut",
        { consent: { min: "local", evidence: D } },
        { consent: { min: "oauth", evidence: D } },
      ),
      apart("another place", { workspace: "acme/hr" }),
      apart("no effect in common", { effects: ["irreversible"] }),
    ],
    { chain: [parent] },
  );
}

/** With `narrow`: another implementation may find other forms that permit no more. */
export function narrowed(): readonly Vector[] {
  return [rules(), maps(), terms()];
}
