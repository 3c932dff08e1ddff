import fc from "fast-check";
import { expect, test } from "vitest";
import { compareDecimals } from "../constraints/decimal.ts";
import { isInWorkspace } from "./workspace.ts";
import {
  type Restrictions,
  looser,
  malformedRestriction,
  meetRestrictions,
  overlay,
} from "./restrictions.ts";

const digest = (letter: string): string => letter.repeat(43);
const amount = fc.dictionary(
  fc.constantFrom("EUR", "USD", "CHF"),
  fc.integer({ min: 0, max: 30 }).map((n) => (n / 2).toFixed(2)),
  { maxKeys: 3 },
);
const limit = fc
  .record({ calls: fc.integer({ min: 0, max: 4 }), amount }, { requiredKeys: [] })
  .filter((value) => Object.keys(value).length > 0);
const some: { requiredKeys: [] } = { requiredKeys: [] };
const notEmpty = (value: object): boolean => Object.keys(value).length > 0;
const restrictions = fc
  .record(
    {
      workspace: fc.constantFrom("acme", "acme/a", "acme/a/b", "acme-2"),
      limits: fc
        .record({ action: amount.map((a) => ({ amount: a })), lifetime: limit, subtree: limit }, some)
        .filter(notEmpty),
      fan_out: fc.integer({ min: 0, max: 3 }),
      effects: fc.subarray(["read", "reversible", "irreversible"] as const, { minLength: 1 }),
      approvals: fc
        .dictionary(
          fc.constantFrom("*", "pay", "__proto__"),
          fc.dictionary(fc.constantFrom("finance", "legal"), fc.integer({ min: 1, max: 3 }), { minKeys: 1 }),
          { minKeys: 1 },
        )
        .map((tools) => JSON.parse(JSON.stringify(tools)) as typeof tools)
        .filter(notEmpty),
      consent: fc.record(
        {
          min: fc.constantFrom("local", "oauth", "passkey"),
          evidence: fc.constantFrom(digest("A"), digest("Q")),
        },
        { requiredKeys: ["min"] },
      ),
      status: fc.record({ uri: fc.constantFrom("https://s.test/1", "https://s.test/2"), idx: fc.nat(2) }),
    },
    some,
  )
  .map((value) => value as Restrictions);

/** What an action, its place in the world and its root are, as far as any restriction can see. */
const situation = fc.record({
  place: fc.constantFrom("acme", "acme/a", "acme/a/b/c", "acme-2", "other"),
  effect: fc.constantFrom("read", "reversible", "irreversible"),
  tool: fc.constantFrom("pay", "__proto__", "other"),
  approvers: fc.record({ finance: fc.nat(3), legal: fc.nat(3) }),
  spent: fc.record({
    calls: fc.nat(5),
    currency: fc.constantFrom("EUR", "USD", "CHF", "JPY"),
    value: fc.nat(8).map(String),
  }),
  rung: fc.constantFrom("local", "oauth", "passkey"),
  evidence: fc.constantFrom(digest("A"), digest("Q"), undefined),
  children: fc.nat(4),
});
type Situation = typeof situation extends fc.Arbitrary<infer S> ? S : never;

/** Straight from the specification's text, member by member. */
function lets(r: Restrictions, s: Situation): boolean {
  const { workspace, limits, fan_out: fanOut, effects, approvals, consent } = r;
  const rungs = ["local", "oauth", "passkey"];
  const asked = Object.entries(approvals ?? {}).filter(([tool]) => tool === "*" || tool === s.tool);
  const counted = Object.values(limits ?? {});
  return (
    (workspace === undefined || isInWorkspace(workspace, s.place)) &&
    (fanOut === undefined || s.children <= fanOut) &&
    (!effects || effects.includes(s.effect as never)) &&
    asked.every(([, groups]) =>
      Object.entries(groups).every(([group, n]) => s.approvers[group as "finance" | "legal"] >= n),
    ) &&
    counted.every(
      ({ calls, amount: most }) =>
        (calls === undefined || s.spent.calls <= calls) &&
        (!most ||
          (Object.hasOwn(most, s.spent.currency) &&
            compareDecimals(s.spent.value, most[s.spent.currency]!) <= 0)),
    ) &&
    (!consent ||
      (rungs.indexOf(s.rung) >= rungs.indexOf(consent.min) &&
        (consent.evidence === undefined || consent.evidence === s.evidence)))
  );
}

const NAMES = ["workspace", "limits", "fan_out", "effects", "approvals", "consent", "status"] as const;

test("whatever a child that keeps its parent's restrictions lets through, the parent lets through", () => {
  const reached = new Map<string, number>();
  fc.assert(
    fc.property(restrictions, restrictions, situation, (parent, child, s) => {
      for (const name of NAMES) {
        const [held, asked] = [{ [name]: parent[name] }, { [name]: child[name] }];
        // Few random pairs are in order: what deriving makes of them is tried beside them.
        for (const kept of [asked, overlay(held, asked) ?? {}]) {
          if (parent[name] === undefined || looser(held, kept).length > 0 || !lets(kept, s)) continue;
          reached.set(name, (reached.get(name) ?? 0) + 1);
          expect(lets(held, s)).toBe(true);
        }
      }
    }),
    { numRuns: 10_000 },
  );
  // None of them was tested in vain.
  expect(NAMES.filter((name) => !((reached.get(name) ?? 0) > 20))).toEqual([]);
});

test("what a narrowed child carries keeps both, is well-formed, and lets through all that both let through", () => {
  fc.assert(
    fc.property(restrictions, restrictions, situation, (parent, wanted, s) => {
      const met = meetRestrictions(parent, wanted);
      if ("apart" in met) return;
      expect(looser(parent, met.restrictions)).toEqual([]);
      // What the parent carries that nobody asked for stays, also what only an issuer can add.
      expect(looser({ ...parent, ...wanted }, met.restrictions)).toEqual([]);
      if (met.restrictions) expect(malformedRestriction(met.restrictions)).toBeUndefined();
      if (lets(parent, s) && lets(wanted, s)) expect(lets(met.restrictions ?? {}, s)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test("keeping is transitive, and everything keeps itself", () => {
  fc.assert(
    fc.property(restrictions, restrictions, restrictions, (a, b, c) => {
      expect(looser(a, a)).toEqual([]);
      if (looser(a, b).length + looser(b, c).length === 0) expect(looser(a, c)).toEqual([]);
    }),
    { numRuns: 3_000 },
  );
});

test("a child that asks for nothing carries its parent's, and one that asks for more carries both", () => {
  fc.assert(
    fc.property(restrictions, (parent) => {
      expect(overlay(parent, undefined) ?? {}).toEqual(parent);
    }),
  );
  expect(
    overlay(
      { limits: { subtree: { calls: 9, amount: { EUR: "5" } } }, approvals: { pay: { finance: 1 } } },
      {
        limits: { subtree: { calls: 3 }, action: { amount: { EUR: "1" } } },
        approvals: { "*": { legal: 2 } },
      },
    ),
  ).toEqual({
    limits: { subtree: { calls: 3, amount: { EUR: "5" } }, action: { amount: { EUR: "1" } } },
    approvals: { pay: { finance: 1 }, "*": { legal: 2 } },
  });
});

test.each([
  ["nothing", {}, "bhst"],
  ["a list", [], "bhst"],
  ["an unknown member", { geofence: "EU" }, "geofence"],
  ["an inherited name", JSON.parse('{"__proto__": {}}'), "__proto__"],
  ["a workspace that climbs", { workspace: "acme/../other" }, "workspace"],
  ["a workspace with an empty segment", { workspace: "acme//a" }, "workspace"],
  ["a limit of nothing", { limits: {} }, "limits"],
  ["an unknown scope", { limits: { year: { calls: 1 } } }, "limits"],
  ["calls of one action", { limits: { action: { calls: 1 } } }, "limits"],
  ["calls below zero", { limits: { subtree: { calls: -1 } } }, "limits"],
  ["half a call", { limits: { subtree: { calls: 0.5 } } }, "limits"],
  ["an amount as a number", { limits: { subtree: { amount: { EUR: 5 } } } }, "limits"],
  ["an amount below zero", { limits: { subtree: { amount: { EUR: "-5" } } } }, "limits"],
  ["an unknown currency form", { limits: { subtree: { amount: { eur: "5" } } } }, "limits"],
  ["a fan-out below zero", { fan_out: -1 }, "fan_out"],
  ["no effect", { effects: [] }, "effects"],
  ["an effect twice", { effects: ["read", "read"] }, "effects"],
  ["an unknown effect", { effects: ["write"] }, "effects"],
  ["no approver", { approvals: { pay: { finance: 0 } } }, "approvals"],
  ["no group", { approvals: { pay: {} } }, "approvals"],
  ["an unknown rung", { consent: { min: "shouted" } }, "consent"],
  ["evidence without a rung", { consent: { evidence: digest("A") } }, "consent"],
  ["evidence of another length", { consent: { min: "oauth", evidence: "AAAA" } }, "consent"],
  ["a status list without TLS", { status: { uri: "http://s.test/1", idx: 0 } }, "status"],
  ...[
    "https://",
    "https:///1",
    "https://u@s.test/1",
    "https://u:p@s.test/1",
    "https://@s.test/1",
    "https://s.test?@t.test/1",
    "https://s.test\\@t.test/1",
    "https://s.test/1#2",
    "https://s.test/\u0000",
    "https://s.test/\n1",
    "https://s.test/ 1",
    " https://s.test/1",
    "https://s.test/é",
  ].map((uri): [string, object, string] => [
    `a status list at ${JSON.stringify(uri)}`,
    { status: { uri, idx: 0 } },
    "status",
  ]),
])("%s is not well-formed", (_, value, name) => {
  expect(malformedRestriction(value as never)).toBe(name);
});

test("a status list has an https URI", () => {
  for (const uri of ["https://s.test", "https://s.test:8443/a/@b/1?x=y@z/1", "https://[2001:db8::1]/1"])
    expect([uri, malformedRestriction({ status: { uri, idx: 0 } })]).toEqual([uri, undefined]);
});
