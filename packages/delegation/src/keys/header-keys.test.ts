// A key never comes from the token that it is to verify, whatever the token's header says of keys.
import { createPrivateKey, createPublicKey } from "node:crypto";
import { type Json, type PrivateJwk, generatePrivateJwk, signCompact, signerOf } from "@behest/jws";
import { afterAll, expect, test } from "vitest";
import { certificateOf, localServer } from "../../test/https.ts";
import {
  type Holder,
  deriveDelegation,
  generateHolder,
  holderOf,
  issueDelegation,
  proveAction,
  verifyAction,
} from "../index.ts";

const iss = "https://issuer.test";
const [issuer, agent, helper] = [await generateHolder(), await generateHolder(), await generateHolder()];
const secret: PrivateJwk = await generatePrivateJwk();
const attacker = holderOf(signerOf(secret));
const tools = { read: {} };
const root = await issueDelegation(
  { issuer: iss, holder: agent.jwk, principal: "p", task: "t", tools, expiresIn: "1h" },
  issuer,
);
const chain = [...(await deriveDelegation(root, { holder: helper.jwk, tools }, agent)).chain];
const call = { tool: "read", args: {} };
const tokens = [...chain, await proveAction({ delegation: chain, ...call }, helper)];
const signers: readonly Holder[] = [issuer, agent, helper];
const TYPES = ["aat+jwt", "aat+jwt", "aat-pop+jwt"];

/** Serves the attacker's key in every form, and the issuer's own where the anchor says. */
const server = await localServer((path, response) => {
  if (path === "/keys") response.end(JSON.stringify({ keys: [issuer.jwk] }));
  else response.end(path === "/evil" ? JSON.stringify({ keys: [{ ...attacker.jwk, kid: "e" }] }) : pem);
});
afterAll(() => server[Symbol.asyncDispose]());
const key = createPrivateKey({ key: secret, format: "jwk" });
const certificate = certificateOf(createPublicKey(key), key);
const pem = `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`;

const HEADERS: readonly { readonly [name: string]: Json }[] = [
  { jwk: attacker.jwk },
  { jwk: { ...attacker.jwk, d: secret.d } },
  { jku: `${server.origin}/evil` },
  { jku: `${server.origin}/evil`, kid: "e" },
  { x5c: [certificate.toString("base64")] },
  { x5u: `${server.origin}/evil.pem` },
  { kid: attacker.thumbprint },
  { kid: JSON.stringify(attacker.jwk) },
  { kid: `${server.origin}/evil` },
  { kid: `data:application/json,${JSON.stringify({ keys: [attacker.jwk] })}` },
  { "x5t#S256": attacker.thumbprint, jwks: { keys: [attacker.jwk] }, cnf: { jwk: attacker.jwk } },
];
const PLACES = ["root", "child", "proof"] as const;

/** Token `index` with this header, its claims as they were, signed by `signer`; all others untouched. */
async function presented(index: number, header: object, signer: Holder): Promise<readonly string[]> {
  const payload = Buffer.from(tokens[index]!.split(".")[1]!, "base64url").toString();
  const token = await signCompact({ typ: TYPES[index]!, ...header }, payload, signer);
  return tokens.with(index, token);
}
const anchors = [
  { iss, jwk: issuer.jwk },
  { iss, jwks: `${server.origin}/keys` },
];
const verdict = ([first, second, proof]: readonly string[], anchor: object): Promise<unknown> =>
  verifyAction(
    { chain: [first!, second!], proof: proof!, ...call },
    { issuers: [anchor as (typeof anchors)[0] & object] },
  ).then(
    () => "ok",
    ({ code, step }: { code: string; step?: string }) => `${code} ${step}`,
  );

test.each(PLACES.map((place, index) => [place, index] as const))(
  "a %s that brings the attacker's key verifies under the right one only",
  async (place, index) => {
    const refused = {
      root: "issuer_untrusted 3b",
      child: "signature_invalid 4b",
      proof: "signature_invalid 7b",
    };
    for (const anchor of anchors)
      for (const header of HEADERS) {
        expect([header, await verdict(await presented(index, header, attacker), anchor)]).toEqual([
          header,
          refused[place],
        ]);
        // Ignored, not refused: RFC 7515 lets a header carry them. The signing input of a root or child is
        // part of what its successor signs, so only the proof stays whole.
        const own = await verdict(await presented(index, header, signers[index]!), anchor);
        expect([header, own]).toEqual([
          header,
          { root: "chain_broken 4q", child: "proof_refused 7c", proof: "ok" }[place],
        ]);
      }
    expect(new Set(server.asked)).toEqual(new Set(["/keys"]));
  },
);

test("a chain whose headers all carry foreign keys verifies as if they were not there", async () => {
  for (const header of HEADERS) {
    const [first] = await presented(0, header, issuer);
    const second = (await deriveDelegation([first!], { holder: helper.jwk, tools }, agent)).chain[1]!;
    const delegation = [first!, second];
    const proof = await proveAction({ delegation, ...call }, helper);
    for (const anchor of anchors) expect(await verdict([first!, second, proof], anchor)).toBe("ok");
  }
  expect(new Set(server.asked)).toEqual(new Set(["/keys"]));
});

test("a header that makes a key critical is refused, at every place", async () => {
  for (const name of ["jwk", "jku", "x5c", "x5u", "kid"])
    for (const [index, signer] of signers.entries()) {
      const header = { crit: [name], [name]: name === "jwk" ? attacker.jwk : "x" };
      expect(await verdict(await presented(index, header, signer), anchors[0]!)).toMatch(
        /^header_refused [347]a$/,
      );
    }
});
