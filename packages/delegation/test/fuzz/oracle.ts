import { type Json, sha256, toBase64url } from "@behest/jws";
import { ISSUER, LATER, textOf } from "./world.ts";

// What must hold of an accepted chain, worked out from its texts alone and without the package's own rules: by
// plain comparisons, and for the grants by trying calls.

type Claims = { readonly [name: string]: Json };
type Members = { readonly [name: string]: Json };

/** Every call of a small world. */
const VALUES: readonly (Json | undefined)[] = [
  undefined,
  "a",
  "ab",
  "abc",
  "b",
  "",
  0,
  1,
  2,
  3,
  5,
  9,
  true,
  null,
];
const CALLS = ["t", "u", "v", "w"].flatMap((tool) =>
  VALUES.flatMap((p) =>
    VALUES.flatMap((q) =>
      [undefined, 1].map((r) => ({
        tool,
        args: Object.fromEntries(
          Object.entries({ p, q, r }).filter((entry): entry is [string, Json] => entry[1] !== undefined),
        ),
      })),
    ),
  ),
);

/** What is wrong with a chain that was accepted; `undefined` when nothing is. */
export function objection(chain: readonly string[]): string | undefined {
  const claims = chain.map((token) => JSON.parse(textOf(token)) as Claims);
  const ids = claims.map(({ jti }) => jti);
  if (new Set(ids).size !== ids.length || !ids.every((id) => typeof id === "string" && id !== ""))
    return "jti";
  for (const [hop, own] of claims.entries()) {
    const found = hop === 0 ? atRoot(own) : atChild(own, claims[hop - 1]!, chain[hop - 1]!);
    if (found !== undefined) return `${found} of token ${hop}`;
    if (own["sub"] !== undefined && own["sub"] !== claims[0]!["sub"]) return `sub of token ${hop}`;
  }
  return undefined;
}

function atRoot(own: Claims): string | undefined {
  if (own["iss"] !== ISSUER) return "iss";
  if (own["del_depth"] !== 0 || "par_hash" in own) return "depth";
  if (!isWhole(own["del_max_depth"]) || own["del_max_depth"] < 0 || own["del_max_depth"] > 8)
    return "max depth";
  return lifetime(own) ?? (toolsOf(own) === undefined ? "grant" : undefined);
}

function atChild(own: Claims, parent: Claims, parentToken: string): string | undefined {
  const { jwk } = parent["cnf"] as { readonly jwk: { readonly x: string } };
  const key = toBase64url(sha256(`{"crv":"Ed25519","kty":"OKP","x":"${jwk.x}"}`));
  if (own["iss"] !== `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${key}`) return "iss";
  if (own["par_hash"] !== toBase64url(sha256(parentToken.slice(0, parentToken.lastIndexOf(".")))))
    return "par_hash";
  const [depth, most, held] = [own["del_depth"], own["del_max_depth"], parent["del_max_depth"]] as number[];
  if (depth !== (parent["del_depth"] as number) + 1 || !(depth <= most! && most! <= held!)) return "depth";
  if (!((own["exp"] as number) <= (parent["exp"] as number))) return "exp";
  if (!((own["iat"] as number) >= (parent["iat"] as number))) return "iat";
  const [inner, outer] = [toolsOf(own) ?? {}, toolsOf(parent) ?? {}];
  if (CALLS.some(({ tool, args }) => permits(inner, tool, args) && !permits(outer, tool, args)))
    return "grant";
  return lifetime(own);
}

function lifetime({ iat, exp }: Claims): string | undefined {
  const sound =
    isWhole(iat) && isWhole(exp) && exp > LATER && iat <= LATER + 30 && exp > iat && exp - iat <= 7_776_000;
  return sound ? undefined : "lifetime";
}

function isWhole(value: Json | undefined): value is number {
  return Number.isSafeInteger(value);
}

function toolsOf(claims: Claims): Members | undefined {
  const entries = (claims["authorization_details"] as Members[]).filter(
    ({ type }) => type === "attenuating_agent_token",
  );
  return entries.length === 1 ? (entries[0]!["tools"] as Members) : undefined;
}

function permits(tools: Members, tool: string, args: Members): boolean {
  if (!Object.hasOwn(tools, tool)) return false;
  const map = tools[tool] as { readonly [argument: string]: Members };
  const open = Object.keys(map).length === 0 || Object.hasOwn(map, "*");
  for (const [name, constraint] of Object.entries(map))
    if (name !== "*" && constraint["optional"] !== true && !Object.hasOwn(args, name)) return false;
  return Object.entries(args).every(([name, value]) =>
    Object.hasOwn(map, name) ? holds(map[name]!, value) : open,
  );
}

/** The types that the world's grants are made of; whatever else is accepted here would be a find. */
function holds(constraint: Members, value: Json): boolean {
  const list = (member: string): readonly Json[] => constraint[member] as readonly Json[];
  const clauses = (): readonly Members[] => list("constraints") as readonly Members[];
  switch (constraint["constraint_type"]) {
    case "wildcard":
      return true;
    case "exact":
      return constraint["value"] === value;
    case "one_of":
      return list("values").includes(value);
    case "not_one_of":
      return !list("excluded").includes(value);
    case "prefix":
      return typeof value === "string" && value.startsWith(constraint["prefix"] as string);
    case "range":
      return (
        typeof value === "number" &&
        value >= ((constraint["min"] as number | undefined) ?? Number.NEGATIVE_INFINITY) &&
        value <= ((constraint["max"] as number | undefined) ?? Number.POSITIVE_INFINITY)
      );
    case "all":
      return clauses().every((clause) => holds(clause, value));
    case "any":
      return clauses().some((clause) => holds(clause, value));
    default:
      throw new Error("a constraint of an unknown type was accepted");
  }
}
