import type { Json } from "@behest/jws";
import type { DelegationCode } from "../../src/index.ts";
import { issuer } from "./key.ts";
import { NOW, child, granting, jws, root, segment } from "./token.ts";
import { type Case, type Vector, accept, delegations, refuse } from "./vector.ts";

type Claims = Parameters<typeof root>[0];
type Edit = (text: string) => string;

const HEAD = '{"alg":"Ed25519","typ":"aat+jwt"}';

/** Roots whose text one step refuses. */
function bad(code: DelegationCode, step: string) {
  return (name: string, text: Edit, claims: Claims = {}): Case =>
    refuse(name, code, { step, hop: 0 }, { chain: [root(claims, { text })] });
}

function good(name: string, text: Edit, claims: Claims = {}): Case {
  return accept(name, { chain: [root(claims, { text })] });
}

function header(name: string, text: string): Case {
  return refuse(name, "header_refused", { step: "3a", hop: 0 }, { chain: [root({}, { header: text })] });
}

/** `from` must be there, once or more. */
function swap(from: string, to: string): Edit {
  return (text) => text.replace(from, () => to);
}

function repeated(): Vector {
  const twice = bad("malformed_delegation", "3b");
  const hop = root();
  return delegations("200-repeated-names", "No member name stands twice in an object, whatever its values", [
    twice("at the top, with the same value", swap('"del_depth":0', '"del_depth":0,"del_depth":0')),
    twice("at the top, with another", swap('"exp":', `"exp":${NOW + 9},"exp":`)),
    twice("once with an escape", swap('"exp":', `"\\u0065xp":${NOW + 9},"exp":`)),
    twice("jti", swap('"jti":"root"', '"jti":"x","jti":"root"')),
    twice("in cnf", swap('"cnf":{', '"cnf":{"jwk":null,')),
    twice("among the tools", swap('"tools":{', '"tools":{"t":{},')),
    twice(
      "in a constraint",
      swap('"constraint_type":', '"constraint_type":"exact","constraint_type":'),
      granting({ t: { p: { constraint_type: "wildcard" } } }),
    ),
    twice("in a claim that nobody reads", swap('"jti":', '"x":[{"a":1,"b":{},"a":1}],"jti":')),
    twice("named __proto__", swap('"jti":', '"__proto__":1,"__proto__":1,"jti":')),
    header("alg", '{"alg":"none","alg":"Ed25519","typ":"aat+jwt"}'),
    header("typ, once with an escape", '{"alg":"Ed25519","typ":"aat+jwt","\\u0074yp":"aat+jwt"}'),
    header("inside a member that nobody reads", '{"alg":"Ed25519","typ":"aat+jwt","x":{"a":1,"a":1}}'),
    header(
      "inside bhst",
      '{"alg":"Ed25519","typ":"aat+jwt","crit":["bhst"],"bhst":{"fan_out":1,"fan_out":2}}',
    ),
    refuse(
      "in a child",
      "malformed_delegation",
      { step: "4b", hop: 1 },
      { chain: [hop], leaf: child(hop, {}, { text: swap('"iss":', '"iss":"x","iss":') }) },
    ),
    good(
      "in different objects",
      swap('"jti":', '"x":{"jti":1,"y":{"jti":2}},"z":[{"jti":3},{"jti":3}],"jti":'),
    ),
    good("in a text", swap('"jti":', '"x":"\\"jti\\":1,\\"jti\\":2","jti":')),
  ]);
}

/** The same bits in another alphabet or with other unused bits. */
function strayBits(part: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return part.slice(0, -1) + letters[letters.indexOf(part.at(-1)!) + 1]!;
}

function base64url(): Vector {
  const [HEADER, CLAIMS, SIGNATURE] = [0, 1, 2] as const;
  // Their lengths leave unused bits, and their signature has a letter that the other alphabet writes differently.
  const token = jws(
    `${HEAD} `,
    `${Buffer.from(root().split(".")[CLAIMS]!, "base64url").toString()} `,
    issuer,
  );
  if (!/[-_]/.test(token.split(".")[SIGNATURE]!) || token.split(".").some((part) => part.length % 4 === 0))
    throw new Error("another token is needed");
  const other: Edit = (part) => part.replaceAll("-", "+").replaceAll("_", "/");
  const at = (index: 0 | 1 | 2, name: string, change: Edit): Case => {
    const [code, step] = (
      [
        ["header_refused", "3a"],
        ["malformed_delegation", "2c"],
        ["issuer_untrusted", "3b"],
      ] as const
    )[index];
    return refuse(name, code, { step, hop: 0 }, { chain: [segment(token, index, change)] });
  };
  const padded: Edit = (part) => part.padEnd(Math.ceil(part.length / 4) * 4, "=");
  return delegations(
    "201-base64url",
    "base64url in its one spelling: no padding, no white space, no stray bits",
    [
      accept("as it should be", { chain: [token] }),
      at(HEADER, "header padded", padded),
      at(CLAIMS, "claims padded", padded),
      at(SIGNATURE, "signature padded", padded),
      at(SIGNATURE, "signature in the other alphabet", other),
      at(HEADER, "unused bits of the header", strayBits),
      at(CLAIMS, "unused bits of the claims", strayBits),
      at(SIGNATURE, "unused bits of the signature", strayBits),
      at(HEADER, "a space before", (part) => ` ${part}`),
      at(CLAIMS, "a line break within", (part) => `${part.slice(0, 8)}\n${part.slice(8)}`),
      at(SIGNATURE, "a line break after", (part) => `${part}\n`),
      at(SIGNATURE, "a space within", (part) => `${part.slice(0, 8)} ${part.slice(8)}`),
      at(SIGNATURE, "a letter too many", (part) => `${part}AAA`),
      at(SIGNATURE, "a letter outside ASCII", (part) => `\u0131${part.slice(1)}`),
      at(CLAIMS, "a length that there is not", (part) => `${part}${"A".repeat((5 - (part.length % 4)) % 4)}`),
    ],
  );
}

function segments(): Vector {
  const token = root();
  const [head, claims, tail] = token.split(".");
  const refused = (name: string, text: string): Case =>
    refuse(name, "malformed_delegation", { step: "2c", hop: 0 }, { chain: [text] });
  return delegations("202-segments", "A token has three segments", [
    refused("none", ""),
    refused("one", head!),
    refused("two", `${head}.${claims}`),
    refused("four", `${token}.`),
    refused("five, as encrypted ones have", `${token}.a.b`),
    refused("claims elsewhere", `${head}..${tail}`),
    refused("dots alone", ".."),
    refused("in JSON", JSON.stringify({ protected: head, payload: claims, signature: tail })),
    refused("with a name before it", `Bearer ${claims}`),
  ]);
}

function spellings(): readonly Vector[] {
  const date = bad("malformed_delegation", "3b");
  const depth = bad("chain_broken", "3c");
  const most = bad("malformed_delegation", "3i");
  const none = bad("malformed_delegation", "2c");
  const [iat, exp] = [NOW - 100, NOW + 3600];
  const value = granting({ t: { p: { constraint_type: "exact", value: "VALUE" } } });
  const rule = (text: string): Edit => swap('"VALUE"', text);
  const inexact = bad("malformed_grant", "3n");
  const elsewhere = (name: string, tools: Json, text = "9007199254740993"): Case =>
    inexact(name, rule(text), granting(tools));
  const hop = root();
  return [
    delegations("203-integers", "Dates and depths are written without fraction or exponent", [
      date("iat with a fraction", swap(`"iat":${iat}`, `"iat":${iat}.0`)),
      date("iat with an exponent", swap(`"iat":${iat}`, '"iat":17999999e2')),
      date("exp with a fraction", swap(`"exp":${exp}`, `"exp":${exp}.00`)),
      date("exp with an exponent", swap(`"exp":${exp}`, '"exp":18000036E+2')),
      depth("del_depth 0.0", swap('"del_depth":0', '"del_depth":0.0')),
      depth("del_depth 0e0", swap('"del_depth":0', '"del_depth":0e0')),
      most("del_max_depth 3.0", swap('"del_max_depth":3', '"del_max_depth":3.0')),
      most("del_max_depth 3e0", swap('"del_max_depth":3', '"del_max_depth":3e0')),
      most("del_max_depth 0.3e1", swap('"del_max_depth":3', '"del_max_depth":0.3e1')),
      none("a leading zero", swap('"del_max_depth":3', '"del_max_depth":03')),
      none("a plus", swap('"del_max_depth":3', '"del_max_depth":+3')),
      none("hexadecimal", swap('"del_max_depth":3', '"del_max_depth":0x3')),
      refuse(
        "a child's depth",
        "malformed_delegation",
        { step: "4b4", hop: 1 },
        { chain: [hop], leaf: child(hop, {}, { text: swap('"del_depth":1', '"del_depth":1.0') }) },
      ),
      refuse(
        "a child's date",
        "malformed_delegation",
        { step: "4b5", hop: 1 },
        { chain: [hop], leaf: child(hop, {}, { text: swap(`"exp":${exp}`, `"exp":${exp}.0`) }) },
      ),
      good(
        "any spelling in claims that nobody reads",
        swap('"jti":', '"x":[1.0,1e0,-0,1e400,9007199254740993],"jti":'),
      ),
    ]),
    delegations(
      "204-admissible-numbers",
      "A constraint's number is exactly the one that its double prints as",
      [
        ...[
          "0.1",
          "1e20",
          "1E2",
          "1.0",
          "0.10",
          "-0",
          "-1.50",
          "9007199254740994",
          "100000000000000000000000",
          "1e-7",
          "5e-324",
          "1.7976931348623157e308",
        ].map((text) => good(text, rule(text), value)),
        ...[
          "9007199254740993",
          "1.00000000000000001",
          "0.10000000000000001",
          "1e400",
          "-1e400",
          "4.9e-324",
          "1e-400",
          "123456789012345678901",
        ].map((text) => inexact(text, rule(text), value)),
        elsewhere("in a list", { t: { p: { constraint_type: "one_of", values: [1, "VALUE"] } } }),
        elsewhere("inside a value", { t: { p: { constraint_type: "subset", allowed: [{ a: ["VALUE"] }] } } }),
        elsewhere("a bound", { t: { p: { constraint_type: "range", max: "VALUE" } } }),
        elsewhere("inside a clause", {
          t: { p: { constraint_type: "any", constraints: [{ constraint_type: "exact", value: "VALUE" }] } },
        }),
        good("in an entry of another type", rule("9007199254740993"), {
          authorization_details: [
            { type: "other", id: "VALUE" },
            { type: "attenuating_agent_token", tools: {} },
          ],
        }),
        refuse(
          "in a child",
          "malformed_grant",
          { step: "4o", hop: 1 },
          { chain: [hop], leaf: child(hop, value, { text: rule("9007199254740993") }) },
        ),
      ],
    ),
  ];
}

function texts(): readonly Vector[] {
  const none = bad("malformed_delegation", "2c");
  const bytes = (name: string, inserted: string): Case => {
    const claims = Buffer.from(root({ x: "X" }).split(".")[1]!, "base64url").toString("latin1");
    return refuse(
      name,
      "malformed_delegation",
      { step: "2c", hop: 0 },
      {
        chain: [
          jws(
            HEAD,
            Buffer.from(
              claims.replace('"X"', () => `"${inserted}"`),
              "latin1",
            ),
            issuer,
          ),
        ],
      },
    );
  };
  const extra = (member: string): Edit => swap('"jti":', `${member},"jti":`);
  return [
    delegations("205-surrogates", "No lone surrogates, in whatever member", [
      none("in a text that nobody reads", extra('"x":"\\ud800"')),
      none("the second half alone", extra('"x":"\\udc00"')),
      none("in the wrong order", extra('"x":"\\ude00\\ud83d"')),
      none("in a name", extra('"\\ud800":1')),
      none("in a list, deep down", extra('"x":[[{"y":["\\udfff"]}]]')),
      none("in jti", swap('"jti":"root"', '"jti":"root\\ud800"')),
      header("in the header", '{"alg":"Ed25519","typ":"aat+jwt","kid":"\\ud800"}'),
      good("a pair", extra('"x":"\\ud83d\\ude00"')),
      good("a backslash before the letters", extra('"x":"\\\\ud800"')),
    ]),
    delegations("206-utf-8", "Claims are UTF-8", [
      bytes("a lone byte", "\xff"),
      bytes("cut short", "\xc3"),
      bytes("overlong", "\xc0\xae"),
      bytes("a surrogate in UTF-8", "\xed\xa0\x80"),
      bytes("beyond U+10FFFF", "\xf4\x90\x80\x80"),
      none("a byte order mark", (text) => `\ufeff${text}`),
      good("letters outside ASCII", extra('"x":"\u00e9\u65e5\u{1f600}"')),
    ]),
    delegations("207-json", "Claims and headers are JSON, and nothing else", [
      none("a comma too many", (text) => text.replace(/\}$/, ",}")),
      none("a comment", (text) => `${text}// ok`),
      none("two objects", (text) => `${text}{}`),
      none("single quotes", (text) => text.replaceAll('"', "'")),
      none("NaN", extra('"x":NaN')),
      none("a control character in a text", extra('"x":"a\u0001b"')),
      none("empty", () => ""),
      none("a string", (text) => JSON.stringify(text)),
      header("a header with a comma too many", '{"alg":"Ed25519","typ":"aat+jwt",}'),
      header("a header with a byte order mark", `\ufeff${HEAD}`),
      accept("white space around both", {
        chain: [root({}, { header: ` ${HEAD}\n`, text: (text) => `\r\n\t ${text} ` })],
      }),
    ]),
  ];
}

/** Texts that lenient readers take for the same, or for something else. */
export function parsing(): readonly Vector[] {
  return [repeated(), base64url(), segments(), ...spellings(), ...texts()];
}
