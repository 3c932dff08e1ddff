import type { Json } from "@behest/jws";
import { child, restricting, root } from "./token.ts";
import { type Case, type Vector, accept, delegations, named, refuse } from "./vector.ts";

const [D, E] = ["A".repeat(43), "E".repeat(43)];

interface Pairs {
  readonly held: Json;
  readonly keeps: readonly Json[];
  readonly loosens: readonly Json[];
}

/** A parent with one member, and children that keep or loosen it, or drop it. */
function monotone(id: string, member: string, groups: readonly Pairs[]): Vector {
  const other: Json = member === "fan_out" ? { workspace: "acme" } : { fan_out: 1 };
  const cases = groups.flatMap(({ held, keeps, loosens }) => {
    // Whatever is demanded, this root's consent is enough.
    const parent = root(member === "consent" ? { consent: { rung: "passkey", evidence: D } } : {}, {
      header: restricting({ [member]: held }),
    });
    const under = (bhst: Json | undefined): { readonly chain: readonly string[] } => ({
      chain: [parent, child(parent, {}, bhst === undefined ? {} : { header: restricting(bhst) })],
    });
    const name = (asked: Json): string => `${named(held)}, child ${named(asked)}`;
    const looser = (why: string, bhst: Json | undefined): Case =>
      refuse(why, "wider_than_parent", { step: "bhst", hop: 1 }, under(bhst));
    return [
      ...keeps.map((asked) => accept(name(asked), under({ [member]: asked }), { bhst: { [member]: asked } })),
      ...loosens.map((asked) => looser(name(asked), { [member]: asked })),
      looser(`${named(held)} dropped`, undefined),
      looser(`${named(held)} dropped for another member`, other),
    ];
  });
  return delegations(id, `A child keeps or tightens ${member}`, cases);
}

function members(): readonly Vector[] {
  const both = {
    subtree: { calls: 20, amount: { EUR: "500.00", USD: "9" } },
    action: { amount: { EUR: "50" } },
  };
  const { subtree, action } = both;
  const uri = "https://status.test/1";
  return [
    monotone("511-workspace-kept", "workspace", [
      {
        held: "acme/fin",
        keeps: ["acme/fin", "acme/fin/x", "acme/fin/x/y"],
        loosens: ["acme", "acme/finance", "acme/other", "ACME/fin", "fin"],
      },
    ]),
    monotone("512-limits-kept", "limits", [
      {
        held: both,
        keeps: [
          both,
          { ...both, lifetime: { calls: 99 } },
          { action, subtree: { ...subtree, calls: 0 } },
          { action, subtree: { calls: 20, amount: { EUR: "500", USD: "8.99" } } },
          { action, subtree: { calls: 20, amount: { EUR: "499.999" } } },
          { action: { amount: {} }, subtree },
        ],
        loosens: [
          { subtree },
          { action },
          { action, lifetime: subtree },
          { action, subtree: { ...subtree, calls: 21 } },
          { action, subtree: { amount: subtree.amount } },
          { action, subtree: { calls: 20 } },
          { action, subtree: { calls: 20, amount: { EUR: "500.001" } } },
          { action, subtree: { calls: 20, amount: { EUR: "500", CHF: "0" } } },
        ],
      },
      {
        held: { subtree: { calls: 5 } },
        keeps: [{ subtree: { calls: 5, amount: { EUR: "1" } } }],
        loosens: [{ subtree: { amount: {} } }],
      },
      {
        held: { lifetime: { amount: {} } },
        keeps: [{ lifetime: { amount: {}, calls: 3 } }],
        loosens: [{ lifetime: { amount: { EUR: "0" } } }, { lifetime: { calls: 0 } }],
      },
      {
        held: { action: { amount: { EUR: "9007199254740992" } } },
        keeps: [{ action: { amount: { EUR: "9007199254740991.99" } } }],
        loosens: [{ action: { amount: { EUR: "9007199254740993" } } }],
      },
    ]),
    monotone("513-fan-out-kept", "fan_out", [
      { held: 3, keeps: [3, 0], loosens: [4] },
      { held: 0, keeps: [0], loosens: [1] },
    ]),
    monotone("514-effects-kept", "effects", [
      {
        held: ["read", "reversible"],
        keeps: [["reversible", "read"], ["read"]],
        loosens: [["read", "reversible", "irreversible"], ["irreversible"]],
      },
    ]),
    monotone("515-approvals-kept", "approvals", [
      {
        held: { pay: { finance: 2 } },
        keeps: [
          { pay: { finance: 2 } },
          { pay: { finance: 3 } },
          { pay: { finance: 2, legal: 1 } },
          { pay: { finance: 2 }, "*": { board: 1 } },
        ],
        loosens: [
          { pay: { finance: 1 } },
          { pay: { legal: 2 } },
          { "*": { finance: 2 } },
          { Pay: { finance: 2 } },
          { pay: { Finance: 2 } },
        ],
      },
      {
        held: { "*": { legal: 1 } },
        keeps: [{ "*": { legal: 1 }, pay: { legal: 2 } }],
        loosens: [{ pay: { legal: 1 } }],
      },
    ]),
    monotone("516-minimum-consent-kept", "consent", [
      {
        held: { min: "oauth" },
        keeps: [{ min: "oauth" }, { min: "passkey" }, { min: "oauth", evidence: D }],
        loosens: [{ min: "local" }, { min: "local", evidence: D }],
      },
      {
        held: { min: "oauth", evidence: D },
        keeps: [
          { min: "oauth", evidence: D },
          { min: "passkey", evidence: D },
        ],
        loosens: [{ min: "oauth" }, { min: "passkey" }, { min: "oauth", evidence: E }],
      },
    ]),
    monotone("517-status-kept", "status", [
      {
        held: { uri, idx: 1 },
        keeps: [{ uri, idx: 1 }],
        loosens: [
          { uri, idx: 2 },
          { uri: "https://status.test/2", idx: 1 },
          { uri: `${uri}?`, idx: 1 },
        ],
      },
    ]),
  ];
}

function along(): Vector {
  const first = root({}, { header: restricting({ fan_out: 5 }) });
  const bhst = { fan_out: 5, workspace: "acme" };
  const second = child(first, {}, { header: restricting(bhst) });
  const third = (asked: Json | undefined): { readonly leaf: string } => ({
    leaf: child(second, {}, asked === undefined ? {} : { header: restricting(asked) }),
  });
  const looser = (name: string, asked: Json | undefined): Case =>
    refuse(name, "wider_than_parent", { step: "bhst", hop: 2 }, third(asked));
  return delegations(
    "518-added",
    "What a child adds, its own children keep as well",
    [
      accept("kept", third(bhst), { bhst }),
      accept("one more", third({ ...bhst, effects: ["read"] }), { bhst: { ...bhst, effects: ["read"] } }),
      looser("a status, which only an issuer gives", {
        ...bhst,
        status: { uri: "https://status.test/1", idx: 1 },
      }),
      looser("the child's own dropped", { fan_out: 5 }),
      looser("the root's dropped", { workspace: "acme" }),
      looser("loosened again to what the root had", { fan_out: 5, workspace: "other" }),
      looser("all of it dropped", undefined),
    ],
    { chain: [first, second] },
  );
}

function consents(): Vector {
  const rungs = ["local", "oauth", "passkey"];
  const weaker = (name: string, chain: readonly string[]): Case =>
    refuse(name, "consent_insufficient", { step: "bhst", hop: 0 }, { chain });
  const held = (consent: Json | undefined, min?: Json): string =>
    root({ consent }, min === undefined ? {} : { header: restricting({ consent: min }) });
  const matrix = rungs.flatMap((rung, have) =>
    rungs.map((min, need) => {
      const chain = [held({ rung }, { min })];
      const name = `${rung} where ${min} is demanded`;
      return have >= need ? accept(name, { chain }) : weaker(name, chain);
    }),
  );
  const demanded = (consent: Json | undefined, min: Json): readonly string[] => {
    const parent = held(consent);
    return [parent, child(parent, {}, { header: restricting({ consent: min }) })];
  };
  const oauth = { rung: "oauth", evidence: D };
  return delegations("520-consent", "The root's consent is what the chain demands", [
    ...matrix,
    accept("not stated, and local is enough", { chain: [held(undefined, { min: "local" })] }),
    weaker("not stated, and local is not", [held(undefined, { min: "oauth" })]),
    accept("demanded by a child", { chain: demanded(oauth, { min: "oauth" }) }),
    weaker("demanded by a child, and not there", demanded({ rung: "local" }, { min: "oauth" })),
    accept("the evidence", { chain: demanded(oauth, { min: "oauth", evidence: D }) }),
    weaker("other evidence", demanded(oauth, { min: "oauth", evidence: E })),
    weaker("no evidence", demanded({ rung: "passkey" }, { min: "oauth", evidence: D })),
    weaker(
      "evidence demanded of a root that says nothing",
      demanded(undefined, { min: "local", evidence: D }),
    ),
  ]);
}

function statuses(): Vector {
  const parent = root({}, { header: restricting({ status: { uri: "https://status.test/1", idx: 7 } }) });
  const chain = [
    parent,
    child(parent, {}, { header: restricting({ status: { uri: "https://status.test/1", idx: 7 } }) }),
  ];
  const revoked = (status: string): Case => refuse(status, "revoked", { step: "bhst" }, { chain, status });
  return delegations("521-revoked", "Who looks a status up takes nothing but valid for valid", [
    accept("valid", { chain, status: "valid" }),
    accept("not looked up", { chain }),
    accept("nothing to look up", { chain: [root()], status: "invalid" }),
    revoked("invalid"),
    revoked("unknown"),
  ]);
}

/** What a child does with `bhst`, and what verification checks of it: docs/spec/delegation-profile.md. */
export function restrictions(): readonly Vector[] {
  return [...members(), along(), consents(), statuses()];
}
