import type { Json } from "@behest/jws";
import { child, restricting, root } from "./token.ts";
import { type Case, type Vector, accept, delegations, named, refuse } from "./vector.ts";

type Header = NonNullable<Parameters<typeof root>[1]>["header"];

const DIGEST = "A".repeat(43);

function header(name: string, changed: Header): Case {
  return refuse(name, "header_refused", { step: "3a", hop: 0 }, { chain: [root({}, { header: changed! })] });
}

/** Roots with one member. */
function forms(
  id: string,
  title: string,
  member: string,
  good: readonly Json[],
  bad: readonly Json[],
): Vector {
  const bhst = (value: Json): Json => ({ [member]: value });
  const token = (value: Json): string =>
    // Whatever is demanded, this root's consent is enough.
    root(member === "consent" ? { consent: { rung: "passkey", evidence: DIGEST } } : {}, {
      header: restricting(bhst(value)),
    });
  return delegations(id, title, [
    ...good.map((value) => accept(named(value), { chain: [token(value)] }, { bhst: bhst(value) })),
    ...bad.map((value) => header(named(value), restricting(bhst(value)))),
  ]);
}

function crit(): Vector {
  const held = root();
  const bhst = { fan_out: 1 };
  const below = (name: string, changed: Header): Case =>
    refuse(
      name,
      "header_refused",
      { step: "4a", hop: 1 },
      { chain: [held, child(held, {}, { header: changed! })] },
    );
  const spelt = (name: string, text: string): Case =>
    header(name, `{"alg":"Ed25519","bhst":${text},"crit":["bhst"],"typ":"aat+jwt"}`);
  return delegations("500-bhst", "bhst is an object of known members, named in crit", [
    accept("none", { chain: [held] }, {}),
    accept("a root's", { chain: [root({}, { header: restricting(bhst) })] }, { bhst }),
    accept("a child's", { chain: [held, child(held, {}, { header: restricting(bhst) })] }, { bhst }),
    header("crit does not name it", { bhst }),
    header("crit does not name it, and it is empty", { bhst: {} }),
    header("crit names something else too", { bhst, crit: ["bhst", "x"], x: 1 }),
    header("crit names something else", { bhst, crit: ["x"], x: 1 }),
    header("crit in capitals", { bhst, crit: ["BHST"] }),
    ...[null, [], [bhst], "fan_out", 7, true, {}].map((value) => header(named(value), restricting(value))),
    header("a member that is not known", restricting({ budget: 1 })),
    header("one beside a known one", restricting({ ...bhst, budget: 1 })),
    header("a member in capitals", restricting({ Fan_Out: 1 })),
    header("a name that every object has", restricting({ ...bhst, ["__proto__"]: {} })),
    header("another such name", restricting({ constructor: 1 })),
    spelt("a number with a fraction", '{"fan_out":1.0}'),
    spelt("a number with an exponent", '{"fan_out":1e0}'),
    spelt("a number beyond 2^53", '{"fan_out":9007199254740993}'),
    below("a child's, crit does not name it", { bhst }),
    below("a child's, empty", restricting({})),
    below("a child's, not known", restricting({ budget: 1 })),
  ]);
}

function currencies(count: number): Json {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`C${String(i).padStart(2, "0")}`, "1"]));
}

function groups(count: number): Json {
  return { t: Object.fromEntries(Array.from({ length: count }, (_, i) => [`g${i}`, 1])) };
}

/** `bhst` and the values of its members: docs/spec/delegation-profile.md, "Members". */
export function restrictionForms(): readonly Vector[] {
  const amount = (value: Json): Json => ({ subtree: { amount: value } });
  const calls = (value: Json): Json => ({ subtree: { calls: value } });
  const uri = "https://status.test/1";
  return [
    crit(),
    forms(
      "501-workspace",
      "workspace: segments",
      "workspace",
      ["acme", "acme/finance", "a.b_c~:@-/1", ".a/b.", "a".repeat(256)],
      [
        "",
        "/",
        "/acme",
        "acme/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "a/.../b",
        "a b",
        "a%2fb",
        "a\\b",
        "*",
        "b\u00fccher",
        "a\n",
        "a".repeat(257),
        7,
        null,
        ["acme"],
      ],
    ),
    forms(
      "502-limits",
      "limits: scopes, calls, amounts",
      "limits",
      [
        calls(0),
        { action: { amount: {} } },
        { lifetime: { calls: 1, amount: { EUR: "0.00", A234567890: "12" } } },
        { action: { amount: { EUR: "1" } }, lifetime: { calls: 2 }, subtree: { calls: 3 } },
        amount({ EUR: "9".repeat(38) }),
        amount(currencies(32)),
      ],
      [
        {},
        [],
        null,
        5,
        { session: { calls: 1 } },
        { subtree: {} },
        { subtree: null },
        { subtree: 5 },
        { action: {} },
        { action: { calls: 1 } },
        { action: { calls: 1, amount: {} } },
        { subtree: { calls: 1, tokens: 2 } },
        ...[-1, 1.5, "1", null, true].map(calls),
        ...[
          null,
          [],
          "500",
          { EUR: 5 },
          { EUR: "-1" },
          { EUR: "-0" },
          { EUR: "01" },
          { EUR: "1e3" },
          { EUR: "" },
          { EUR: "9".repeat(39) },
        ].map(amount),
        ...["eur", "EU", "1EUR", "A2345678901", "E-R", ""].map((name) => amount({ [name]: "1" })),
        amount(currencies(33)),
      ],
    ),
    forms(
      "503-fan-out",
      "fan_out: a whole number",
      "fan_out",
      [0, 5, 2 ** 53 - 1],
      [-1, 1.5, "1", null, true, {}, [1]],
    ),
    forms(
      "504-effects",
      "effects: each once, at least one",
      "effects",
      [["read"], ["irreversible", "read", "reversible"]],
      [[], ["read", "read"], ["write"], ["READ"], ["read", null], "read", { read: true }, null],
    ),
    forms(
      "505-approvals",
      "approvals: tool, group, how many persons",
      "approvals",
      [
        { pay: { finance: 1 } },
        { "*": { legal: 2, finance: 1 }, pay: { board: 3 } },
        { ["__proto__"]: { g: 1 } },
        { ["t".repeat(256)]: { g: 1 } },
        groups(256),
      ],
      [
        {},
        [],
        null,
        "finance",
        { pay: {} },
        { pay: { finance: 1 }, ship: {} },
        { pay: null },
        { pay: ["finance"] },
        { pay: 1 },
        { "": { finance: 1 } },
        { pay: { "": 1 } },
        ...[0, -1, 1.5, "1", null, true].map((persons) => ({ pay: { finance: persons } })),
        { ["t".repeat(257)]: { g: 1 } },
        groups(257),
      ],
    ),
    forms(
      "506-minimum-consent",
      "consent: the weakest rung that will do, and the evidence",
      "consent",
      [{ min: "local" }, { min: "oauth" }, { min: "passkey" }, { min: "oauth", evidence: DIGEST }],
      [
        {},
        null,
        "oauth",
        ["oauth"],
        { evidence: DIGEST },
        { rung: "oauth" },
        { min: "none" },
        { min: "OAuth" },
        { min: null },
        { min: "oauth", note: "x" },
        ...["", "A".repeat(42), "A".repeat(44), `${DIGEST}=`, `${"A".repeat(42)}B`, null].map((evidence) => ({
          min: "oauth",
          evidence,
        })),
      ],
    ),
    forms(
      "507-status",
      "status: an https URI and an index",
      "status",
      [
        { uri, idx: 0 },
        { uri: "https://status.test:8443/a?b=c", idx: 2 ** 53 - 1 },
      ],
      [
        {},
        null,
        uri,
        { uri },
        { idx: 1 },
        ...[-1, 1.5, "0", null].map((idx) => ({ uri, idx })),
        ...[
          "http://status.test/1",
          "status.test/1",
          "https://",
          "https://u@status.test/1",
          "https://status.test?@other.test/1",
          "https://status.test/1#2",
          "https://status.test/\n1",
          "",
          7,
          null,
        ].map((other) => ({
          uri: other,
          idx: 0,
        })),
        { uri, idx: 0, ttl: 9 },
      ],
    ),
  ];
}
