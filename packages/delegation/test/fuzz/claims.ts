import { type Json, canonical, toBase64url, utf8 } from "@behest/jws";
import * as fc from "fast-check";
import type { AatTools } from "../../src/index.ts";
import { type Original, NOW, grants } from "./world.ts";

type Claims = { readonly [name: string]: Json };

/** A token's claims changed before a signature over them that is right. */
export interface Change {
  readonly what: string;
  /** Whatever the signature, nobody may accept it. */
  readonly never?: true;
  /** The new claims, as text. */
  readonly text: (claims: Claims) => string;
}

const member = (name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Change> =>
  value.map((v) => ({
    what: `${name}: ${canonical(v ?? "left out")}`,
    text: (claims) =>
      canonical(
        Object.fromEntries(Object.entries({ ...claims, [name]: v }).filter(([, each]) => each !== undefined)),
      ),
  }));
const spelt = (what: string, edit: (text: string) => string): Change => ({
  what,
  never: true,
  text: (claims) => edit(canonical(claims)),
});
const odd = fc.constantFrom<unknown>(undefined, null, true, "", "1", 1.5, -1, [], {}, [1], 2 ** 53);
const near = (value: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.integer({ min: -3, max: 3 }).map((d) => value + d),
    odd,
  );
const number = fc.constantFrom("iat", "exp", "del_depth", "del_max_depth");

/** The same claims in a writing that no signer of ours uses; none may be read as what it resembles. */
const SPELLINGS: readonly Change[] = [
  spelt("a second exp before", (text) => `{"exp":${NOW + 9},${text.slice(1)}`),
  spelt("a second exp after", (text) => `${text.slice(0, -1)},"exp":${NOW + 9}}`),
  spelt("a second exp, escaped", (text) => `${text.slice(0, -1)},"\\u0065xp":${NOW + 9}}`),
  spelt("a second tools", (text) => text.replace('"tools":{', '"tools":{"w":{}},"tools":{')),
  spelt("a second tool", (text) => text.replace('"tools":{', '"tools":{"t":{},"t":{},')),
  spelt("a fraction", (text) => text.replace(/"exp":(\d+)/, '"exp":$1.0')),
  spelt("an exponent", (text) => text.replace(/"del_depth":(\d+)/, '"del_depth":$1e0')),
  spelt("a leading zero", (text) => text.replace(/"exp":(\d+)/, '"exp":0$1')),
  spelt("a depth as text", (text) => text.replace(/"del_depth":(\d+)/, '"del_depth":"$1"')),
  spelt("a byte order mark", (text) => `\ufeff${text}`),
  spelt("something after", (text) => `${text}{}`),
  spelt("an array around", (text) => `[${text}]`),
  spelt("an unknown type", (text) =>
    text.replace('"tools":{', '"tools":{"w":{"p":{"constraint_type":"regex","pattern":"."}},'),
  ),
  spelt("a stray member", (text) =>
    text.replace('"tools":{', '"tools":{"w":{"p":{"constraint_type":"wildcard","note":1}},'),
  ),
  spelt("two grant entries", (text) =>
    text.replace(
      '"authorization_details":[',
      '"authorization_details":[{"type":"attenuating_agent_token","tools":{}},',
    ),
  ),
];

type Members = { readonly [name: string]: Json };
/** Applies to the claims' tools; `constraint` to every constraint in them, clauses included. */
const tweak = (
  what: string,
  {
    map = (own) => own,
    constraint = (own) => own,
  }: {
    readonly map?: (named: Members) => Members;
    readonly constraint?: (own: Members) => Members;
  },
): Change => ({
  what,
  text: (claims) => {
    const inside = (own: Members): Members =>
      constraint(
        Array.isArray(own["constraints"])
          ? { ...own, constraints: (own["constraints"] as Members[]).map(inside) }
          : own,
      );
    const [entry] = claims["authorization_details"] as readonly {
      readonly tools: { [tool: string]: Members };
    }[];
    const tools = Object.entries(entry!.tools).map(([tool, named]) => [
      tool,
      map(Object.fromEntries(Object.entries(named).map(([name, own]) => [name, inside(own as Members)]))),
    ]);
    return canonical({ ...claims, authorization_details: [{ ...entry, tools: Object.fromEntries(tools) }] });
  },
});
const without = (own: Members, ...names: string[]): Members =>
  Object.fromEntries(Object.entries(own).filter(([name]) => !names.includes(name)));
const whereIs = (type: string, edit: (own: Members) => Members) => ({
  constraint: (own: Members) => (own["constraint_type"] === type ? edit(own) : own),
});
const list = (own: Members, name: string): readonly Json[] => own[name] as readonly Json[];

/** A little more, or less, than the holder was given. */
const TWEAKS: readonly Change[] = [
  tweak(
    "no least value",
    whereIs("range", (own) => without(own, "min")),
  ),
  tweak(
    "no greatest value",
    whereIs("range", (own) => without(own, "max")),
  ),
  tweak(
    "a lower bound",
    whereIs("range", (own) => ({ ...own, min: (own["min"] as number) - 1 })),
  ),
  tweak(
    "one more value",
    whereIs("one_of", (own) => ({ ...own, values: [...list(own, "values"), 9] })),
  ),
  tweak(
    "a value fewer",
    whereIs("one_of", (own) => ({ ...own, values: list(own, "values").slice(0, 1) })),
  ),
  tweak(
    "an exclusion fewer",
    whereIs("not_one_of", (own) => ({ ...own, excluded: list(own, "excluded").slice(1) })),
  ),
  tweak(
    "an exclusion more",
    whereIs("not_one_of", (own) => ({ ...own, excluded: [...list(own, "excluded"), 9] })),
  ),
  tweak(
    "a shorter prefix",
    whereIs("prefix", (own) => ({ ...own, prefix: "a" })),
  ),
  tweak(
    "a longer prefix",
    whereIs("prefix", (own) => ({ ...own, prefix: `${own["prefix"] as string}b` })),
  ),
  tweak(
    "another value",
    whereIs("exact", (own) => ({ ...own, value: 9 })),
  ),
  tweak(
    "the first clause of all",
    whereIs("all", (own) => ({ ...own, constraints: list(own, "constraints").slice(0, 1) })),
  ),
  tweak(
    "a clause more of any",
    whereIs("any", (own) => ({
      ...own,
      constraints: [...list(own, "constraints"), { constraint_type: "wildcard" }],
    })),
  ),
  tweak(
    "all for any",
    whereIs("all", (own) => ({ ...own, constraint_type: "any" })),
  ),
  tweak("anything", { constraint: () => ({ constraint_type: "wildcard" }) }),
  tweak("all optional", {
    map: (named) =>
      Object.fromEntries(
        Object.entries(named).map(([name, own]) => [
          name,
          name === "*" ? own : { ...(own as Members), optional: true },
        ]),
      ),
  }),
  tweak("any argument", { map: (named) => ({ ...named, "*": { constraint_type: "wildcard" } }) }),
  tweak("an argument fewer", { map: (named) => without(named, "p") }),
  tweak("an argument more", { map: (named) => ({ p: { constraint_type: "wildcard" }, ...named }) }),
];

/** What a holder, or an issuer, can write beside what it should. */
export const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(...SPELLINGS),
  { weight: 8, arbitrary: fc.constantFrom(...TWEAKS) },
  {
    weight: 4,
    arbitrary: number.chain((name) =>
      member(
        name,
        name === "iat" ? near(NOW) : name === "exp" ? fc.oneof(near(NOW), near(NOW + 3600)) : near(2),
      ),
    ),
  },
  member("jti", fc.oneof(fc.constantFrom<unknown>("new", "constructor"), odd)),
  fc.constant<Change>({
    what: "the root's jti",
    text: (claims) => canonical({ ...claims, jti: (claims["jti"] as string).replace(/\d+$/, "0") }),
  }),
  member("iss", fc.oneof(fc.constantFrom<unknown>("https://issuer.test", "https://issuer.test/"), odd)),
  member("sub", fc.oneof(fc.constantFrom<unknown>("p", "q", "P", "p "), odd)),
  member("par_hash", fc.oneof(fc.constantFrom<unknown>("A".repeat(43)), odd)),
  member(
    "cnf",
    fc.oneof(fc.constantFrom<unknown>({ jwk: { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) } }), odd),
  ),
  fc
    .oneof(grants, odd as fc.Arbitrary<AatTools>)
    .chain((tools) =>
      member(
        "authorization_details",
        fc.constant([{ type: "attenuating_agent_token", ...(tools !== undefined && { tools }) }]),
      ),
    ),
  member("authorization_details", odd),
  member("note", fc.constantFrom<unknown>("x", { __proto__: null, exp: 1 })),
);

/** Header members; with all but the first nobody may accept the token. */
export const header: fc.Arbitrary<{ readonly [name: string]: Json }> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ alg: "Ed25519", typ: "aat+jwt" }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<{ readonly [name: string]: Json }>(
      { alg: "none", typ: "aat+jwt" },
      { alg: "EdDSA", typ: "aat+jwt" },
      { alg: "ed25519", typ: "aat+jwt" },
      { alg: "HS256", typ: "aat+jwt" },
      { typ: "aat+jwt" },
      { alg: "Ed25519", typ: "AAT+JWT" },
      { alg: "Ed25519", typ: "aat-pop+jwt" },
      { alg: "Ed25519" },
      { alg: "Ed25519", typ: "aat+jwt", crit: [] },
      { alg: "Ed25519", typ: "aat+jwt", crit: ["exp"], exp: 1 },
      { alg: "Ed25519", typ: "aat+jwt", crit: ["unknown"], unknown: true },
      { alg: "Ed25519", typ: "aat+jwt", crit: "unknown" },
    ),
  },
);

export function isGood(members: { readonly [name: string]: Json }): boolean {
  return canonical(members) === '{"alg":"Ed25519","typ":"aat+jwt"}';
}

/** Signs what no API of ours would. */
export async function signed(
  members: { readonly [name: string]: Json },
  text: string,
  signer: Original["signers"][number],
): Promise<string> {
  const input = `${toBase64url(utf8(canonical(members)))}.${toBase64url(utf8(text))}`;
  return `${input}.${toBase64url(await signer.sign(utf8(input)))}`;
}
