import type { Json } from "@behest/jws";
import { child, root } from "./token.ts";
import { type Case, type Vector, accept, delegations, named, refuse } from "./vector.ts";

type Claims = Parameters<typeof root>[0];
type More = { readonly [member: string]: Json };

const DIGEST = "A".repeat(43);

/** A root with these claims, and a child of it with those. */
function chain(own: Claims, below?: Claims): More {
  const held = root(own);
  return { chain: below ? [held, child(held, below)] : [held] };
}

function malformed(claim: string, values: readonly Json[]): readonly Case[] {
  return values.map((value) =>
    refuse(`the root's ${named(value)}`, "malformed_delegation", { hop: 0 }, chain({ [claim]: value })),
  );
}

function belowMalformed(claim: string, own: Claims, values: readonly Json[]): readonly Case[] {
  return values.map((value) =>
    refuse(`the child's ${named(value)}`, "malformed_delegation", { hop: 1 }, chain(own, { [claim]: value })),
  );
}

function changed(name: string, own: Claims, below: Claims): Case {
  return refuse(name, "principal_changed", { hop: 1 }, chain(own, below));
}

/** Claims beside the draft's: docs/spec/delegation-profile.md, "Ordinary claims". */
export function claims(): readonly Vector[] {
  const alice = { sub: "alice" };
  const acme = { sub: "alice", tenant: "acme" };
  const agent = { deployer: "acme", model: "m-1", version: "2.0", instance: "i-7" };
  const middle = child(root(alice));
  return [
    delegations("150-sub", "The principal is the root's, and never changes", [
      accept("stated", chain(alice), { principal: "alice" }),
      accept("a child that does not repeat it", chain(alice, {}), { principal: "alice" }),
      accept("a child that repeats it", chain(alice, alice), { principal: "alice" }),
      changed("another", alice, { sub: "bob" }),
      changed("in capitals", alice, { sub: "ALICE" }),
      changed("with a space", alice, { sub: "alice " }),
      changed("added", {}, alice),
      changed("added, the issuer's own name", {}, { sub: "https://issuer.test" }),
      refuse(
        "another, two below",
        "principal_changed",
        { hop: 2 },
        { chain: [root(alice), middle], leaf: child(middle, { sub: "bob" }) },
      ),
      ...malformed("sub", ["", null, 7, ["alice"], { name: "alice" }]),
      ...belowMalformed("sub", alice, ["", null, ["alice"]]),
    ]),
    delegations("151-tenant", "So is the tenant", [
      accept("stated", chain(acme), { tenant: "acme" }),
      accept("a child that repeats it", chain(acme, { tenant: "acme" }), { tenant: "acme" }),
      changed("another", acme, { tenant: "acme2" }),
      changed("added", alice, { tenant: "acme" }),
      ...malformed("tenant", ["", null, 7, ["acme"]]),
      ...belowMalformed("tenant", acme, ["", null]),
    ]),
    delegations("152-agent-identity", "Which agent a token is meant for: names, at least one, nothing else", [
      accept("all four", chain({ agent_identity: agent }), { agent_identity: agent }),
      accept("one", chain({ agent_identity: { model: "m-1" } }), { agent_identity: { model: "m-1" } }),
      accept(
        "the child's is its own",
        chain({ agent_identity: agent }, { agent_identity: { model: "m-2" } }),
        { agent_identity: { model: "m-2" } },
      ),
      ...malformed("agent_identity", [
        {},
        { ...agent, note: "x" },
        { model: "" },
        { model: 1 },
        { model: null },
        { Model: "m" },
        [],
        ["m-1"],
        "m-1",
        null,
      ]),
      ...belowMalformed("agent_identity", {}, [{}, { model: "m", x: "y" }]),
    ]),
    delegations("153-consent", "How the principal consented: a rung, and what shows it", [
      accept("not stated is local", chain({}), { consent: { rung: "local" } }),
      ...["local", "oauth", "passkey"].map((rung) =>
        accept(rung, chain({ consent: { rung } }), { consent: { rung } }),
      ),
      accept("evidence", chain({ consent: { rung: "oauth", evidence: DIGEST } }), {
        consent: { rung: "oauth", evidence: DIGEST },
      }),
      accept("a child's is not looked at", chain({}, { consent: { rung: "passkey", x: 1 } }), {
        consent: { rung: "local" },
      }),
      ...malformed("consent", [
        null,
        "oauth",
        {},
        { evidence: DIGEST },
        { rung: "OAuth" },
        { rung: "none" },
        { rung: ["oauth"] },
        { rung: "oauth", note: "x" },
      ]),
      ...malformed(
        "consent",
        ["", `${DIGEST}=`, `${"A".repeat(42)}B`, "A".repeat(42), "A".repeat(44), null].map((evidence) => ({
          rung: "oauth",
          evidence,
        })),
      ),
    ]),
    delegations("154-shown", "task and agent are shown; of another type they are as good as absent", [
      accept("texts", chain({ task: "Mail", agent: "reader" }), { task: "Mail", agent: "reader" }),
      accept("the child's own", chain({ task: "Mail", agent: "reader" }, { task: "Read", agent: "sub" }), {
        task: "Read",
        agent: "sub",
      }),
      accept("others", chain({ task: { text: "Mail" }, agent: 7 })),
      accept("empty and null", chain({ task: "", agent: null })),
    ]),
  ];
}
