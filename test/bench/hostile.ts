// Tokens made to cost the verifier: each signed by a real holder, so that nothing stops it early, under a root that
// permits anything, so that everything in it is read. How long until it is refused.
import {
  DelegationError,
  type Holder,
  generateHolder,
  issueDelegation,
  verifyDelegation,
} from "@behest/delegation";
import { sha256, signCompact, toBase64url } from "@behest/jws";
import { ISSUER, rootClaims } from "./chains.ts";
import { type Figure, atMost, measured, median, wallOf } from "./figure.ts";

const ROUNDS = 25;
const WARM_UP = 5;
/** Characters of claims that fit in a token of 64 KB. */
const ROOM = 47_000;

const times = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(",");
const filled = (text: (i: number) => string): string =>
  times(Math.floor(ROOM / (text(9999).length + 1)), text);
const tools = (inside: string): string =>
  `"authorization_details":[{"type":"attenuating_agent_token","tools":${inside}}]`;
const argument = (constraint: string): string => tools(`{"t0":{"a":${constraint}}}`);
const exact = (value: number): string => `{"constraint_type":"exact","value":${value}}`;
const oneOf = (values: string): string => `{"constraint_type":"one_of","values":[${values}]}`;
const clauses = (type: string, inside: string): string =>
  `{"constraint_type":"${type}","constraints":[${inside}]}`;
const nested = (depth: number): string =>
  depth === 0 ? '{"constraint_type":"wildcard"}' : clauses("all", nested(depth - 1));

/** Claims of a child that say too much; each is refused. */
const CASES: { readonly [what: string]: string } = {
  "arrays in arrays": `"x":${"[".repeat(ROOM / 2)}${"]".repeat(ROOM / 2)}`,
  "objects in objects": `"x":${'{"a":'.repeat(ROOM / 6)}1${"}".repeat(ROOM / 6)}`,
  "clauses in clauses": argument(nested(60)),
  "thousands of clauses": argument(clauses("any", filled(exact))),
  "thousands of arguments": tools(`{"t":{${filled((i) => `"a${i}":{"constraint_type":"wildcard"}`)}}}`),
  "thousands of tools": tools(`{${filled((i) => `"t${i}":{}`)}}`),
  "one huge number": argument(`{"constraint_type":"exact","value":1${"0".repeat(ROOM)}1}`),
  "one tiny number": argument(`{"constraint_type":"exact","value":0.${"0".repeat(ROOM)}1}`),
  "thousands of odd numbers": argument(oneOf(filled((i) => `${i}.0e400`))),
  "repeated names": `"x":{${filled(() => `"a":1`)}}`,
  escapes: `"x":{${filled((i) => `"\\u0061${i}":"\\ud83d\\ude00"`)},"b":"\\ud83d"}`,
  "a long path": argument(`{"constraint_type":"path","under":"/${"a/".repeat(ROOM / 2)}"}`),
  "a long domain": argument(`{"constraint_type":"email","domain":"${"a.".repeat(ROOM / 2)}"}`),
  "a long URL": argument(`{"constraint_type":"url","base":"https://a.test/${"%41/".repeat(ROOM / 4)}%2e"}`),
  "a long address": argument(`{"constraint_type":"email","address":"a${"a.".repeat(ROOM / 2)}@a.test"}`),
};

const big = (i: number): string => `{"b":[${times(3000, () => "1")},${i}]}`;

/** A child and its own child, both within every limit, but dear to compare; the second is refused as wider. */
const PAIRS: { readonly [what: string]: readonly [parent: string, child: string] } = {
  "clauses against clauses": [
    tools(`{${times(4, (t) => `"t${t}":{"a":${clauses("any", times(250, exact))}}`)}}`),
    tools(
      `{${times(4, (t) => `"t${t}":{"a":${clauses("any", `${times(240, () => exact(249))},${exact(255)}`)}}`)}}`,
    ),
  ],
  "lists against clauses": [
    argument(
      clauses(
        "any",
        times(250, (i) => oneOf(times(8, (j) => `{"a":${i * 8 + j}}`))),
      ),
    ),
    argument(
      clauses("any", `${times(250, () => oneOf(times(8, (j) => `{"a":${1992 + j}}`)))},${oneOf("1")}`),
    ),
  ],
  "large members against a long list": [
    argument(oneOf(`${times(7, big)},{}`)),
    argument(oneOf(`${filled(() => "{}")},1`)),
  ],
  "long values against URLs": [
    argument(
      clauses(
        "any",
        times(250, (i) => `{"constraint_type":"url","base":"https://a.test/${i}"}`),
      ),
    ),
    argument(clauses("any", oneOf(`"https://a.test/${"%41/".repeat(ROOM / 4 - 500)}"`))),
  ],
};

interface World {
  readonly holder: Holder;
  readonly root: readonly string[];
  verify(chain: readonly string[]): Promise<unknown>;
}

async function world(): Promise<World> {
  const [issuer, holder] = [await generateHolder(), await generateHolder()];
  const open = Object.fromEntries([0, 1, 2, 3].map((t) => [`t${t}`, {}]));
  const { chain } = await issueDelegation({ ...rootClaims(holder), tools: open }, issuer);
  const options = { issuers: [{ iss: ISSUER, jwk: issuer.jwk }] };
  return { holder, root: chain, verify: (presented) => verifyDelegation(presented, options) };
}

/** `chain` and one more token with these claims, right in all else. */
async function extended(
  { holder }: World,
  chain: readonly string[],
  claims: string,
): Promise<readonly string[]> {
  const [header, payload] = chain.at(-1)!.split(".");
  const { iat, exp } = JSON.parse(Buffer.from(payload!, "base64url").toString()) as {
    iat: number;
    exp: number;
  };
  const common = {
    jti: `${chain.length}`,
    iss: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${holder.thumbprint}`,
    iat,
    exp,
    cnf: { jwk: holder.jwk },
    del_depth: chain.length,
    del_max_depth: 8,
    par_hash: toBase64url(sha256(`${header}.${payload}`)),
  };
  const text = `${JSON.stringify(common).slice(0, -1)},${claims}}`;
  return [...chain, await signCompact({ typ: "aat+jwt" }, text, holder)];
}

/** Median ms until `chain` is refused with one of these codes. */
async function refusal(
  { verify }: World,
  chain: readonly string[],
  codes: readonly string[],
  rounds: number,
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < WARM_UP + rounds; round++) {
    let code = "accepted";
    const time = await wallOf(() =>
      verify(chain).catch((error: unknown) => {
        code = DelegationError.isInstance(error) ? error.code : String(error);
      }),
    );
    if (!codes.includes(code)) throw new Error(`hostile token: ${code}`);
    if (round >= WARM_UP) times.push(time);
  }
  return median(times);
}

export async function hostileToken(): Promise<Figure> {
  const where = await world();
  const costs: [ms: number, what: string][] = [];
  for (const [what, claims] of Object.entries(CASES)) {
    const beside = claims.startsWith('"x"') ? `${tools("{}")},${claims}` : claims;
    const chain = await extended(where, where.root, beside);
    costs.push([await refusal(where, chain, ["malformed_delegation", "malformed_grant"], ROUNDS), what]);
  }
  const [worst, what] = costs.toSorted(([a], [b]) => b - a)[0]!;
  return atMost("hostile-token", worst, "ms", 5, { worst: what, of: costs.length });
}

export async function hostilePair(): Promise<Figure> {
  const where = await world();
  const costs: [ms: number, what: string][] = [];
  for (const [what, [held, asked]] of Object.entries(PAIRS)) {
    const parent = await extended(where, where.root, held);
    await where.verify(parent);
    const chain = await extended(where, parent, asked);
    costs.push([await refusal(where, chain, ["wider_than_parent"], 3), what]);
  }
  const [worst, what] = costs.toSorted(([a], [b]) => b - a)[0]!;
  return measured("hostile-pair", worst, "ms", { worst: what, of: costs.length });
}
