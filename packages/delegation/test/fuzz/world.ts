import {
  type Json,
  type PrivateJwk,
  type Signer,
  fromBase64url,
  sha256,
  signerOf,
  thumbprint,
  toBase64url,
} from "@behest/jws";
import * as fc from "fast-check";
import {
  type AatTools,
  type Constraint,
  deriveDelegation,
  holderOf,
  issueDelegation,
  DelegationError,
} from "../../src/index.ts";

/** Everything below follows from the seed: keys, ids and times too, so that a failure can be played again. */
export const SEED = 20_261_120;
/** When the chains are made, and when they are verified. */
export const NOW = 1_800_000_000;
export const LATER: number = NOW + 5;
export const ISSUER = "https://issuer.test";

/** The same key for the same name, always. */
export async function keyOf(name: string): Promise<Signer> {
  const d = sha256(`fuzz ${name}`);
  // PKCS #8 (RFC 8410, 7) around the 32 bytes: the platform works out the public part.
  const pkcs8 = new Uint8Array([...fromBase64url("MC4CAQAwBQYDK2VwBCIEIA"), ...d]);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", key);
  return signerOf({ kty: "OKP", crv: "Ed25519", x: x!, d: toBase64url(d) } satisfies PrivateJwk);
}

const scalar = fc.constantFrom<Json>("a", "ab", "abc", "b", 0, 1, 2, 5, true, null);
const values = fc.array(scalar, { minLength: 1, maxLength: 3 });
const constraint: fc.Arbitrary<Constraint> = fc.letrec<{ any: Constraint }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    fc.constant<Constraint>({ constraint_type: "wildcard" }),
    fc.constant<Constraint>({
      constraint_type: "all",
      constraints: [
        { constraint_type: "not_one_of", excluded: ["b", 1] },
        { constraint_type: "one_of", values: ["a", "b", 2] },
      ],
    }),
    scalar.map((value): Constraint => ({ constraint_type: "exact", value })),
    values.map((list): Constraint => ({ constraint_type: "one_of", values: list })),
    values.map((list): Constraint => ({ constraint_type: "not_one_of", excluded: list })),
    fc.constantFrom<Constraint>(
      { constraint_type: "prefix", prefix: "a" },
      { constraint_type: "prefix", prefix: "ab" },
    ),
    fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.boolean())
      .map(([min, more, open]): Constraint => ({
        constraint_type: "range",
        min,
        ...(!open && { max: min + more }),
      })),
    fc
      .tuple(fc.constantFrom("all", "any"), fc.array(tie("any"), { minLength: 1, maxLength: 2 }))
      .map(([type, clauses]): Constraint => ({ constraint_type: type, constraints: clauses as Json[] })),
  ),
})).any;
const map = fc.dictionary(
  fc.constantFrom("p", "q", "*"),
  fc.tuple(constraint, fc.boolean()).map(([bare, optional]) => ({ ...bare, ...(optional && { optional }) })),
  { maxKeys: 3 },
);
/** Well-formed grants in a world so small that they often overlap. */
export const grants: fc.Arbitrary<AatTools> = fc
  .dictionary(fc.constantFrom("t", "u", "v"), map, { minKeys: 1, maxKeys: 3 })
  .map((tools) =>
    Object.fromEntries(
      Object.entries(tools).map(([tool, named]) => [
        tool,
        Object.hasOwn(named, "*") ? { ...named, "*": { constraint_type: "wildcard" } } : named,
      ]),
    ),
  );

export interface Original {
  readonly chain: readonly string[];
  /** Who signed each token, then whom the leaf is bound to. */
  readonly signers: readonly Signer[];
}

/** Valid chains of 1 to 5 hops with random grants. */
export async function originals(count: number): Promise<readonly Original[]> {
  const issuer = await keyOf("issuer");
  const samples = fc.sample(fc.array(grants, { minLength: 5, maxLength: 5 }), { numRuns: count, seed: SEED });
  return Promise.all(
    samples.map(async (asked, n) => {
      const signers = [issuer];
      for (let hop = 0; hop <= n % 5; hop++) signers.push(await keyOf(`holder ${n % 7} ${hop}`));
      const [, first] = signers;
      const common = { now: NOW, jti: `${n}.0` };
      let delegation = await issueDelegation(
        {
          ...common,
          issuer: ISSUER,
          holder: first!.jwk,
          principal: "p",
          task: "t",
          tools: asked[0]!,
          expiresIn: "1h",
          maxDepth: 6,
        },
        issuer,
      );
      let held = asked[0]!;
      for (let hop = 1; hop < signers.length - 1; hop++) {
        const [parent, child] = [holderOf(signers[hop]!), signers[hop + 1]!];
        const claims = { now: NOW, jti: `${n}.${hop}`, holder: child.jwk, expiresIn: 3600 - hop } as const;
        // Mostly the random grant is wider: then something that surely is not.
        const one = Object.fromEntries(Object.entries(held).slice(0, 2));
        const random = deriveDelegation(delegation, { ...claims, tools: asked[hop]! }, parent);
        held = await random.then(
          (derived) => ((delegation = derived), asked[hop]!),
          async (error: unknown) => {
            if (!DelegationError.isInstance(error)) throw error;
            delegation = await deriveDelegation(delegation, { ...claims, tools: one }, parent);
            return one;
          },
        );
      }
      return { chain: delegation.chain, signers };
    }),
  );
}

export function textOf(token: string): string {
  return new TextDecoder().decode(fromBase64url(token.split(".")[1]!));
}

export const thumbprintUri = (signer: Signer): string =>
  `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${thumbprint(signer.jwk)}`;
