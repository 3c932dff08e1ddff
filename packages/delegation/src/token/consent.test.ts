import { signCompact, splitCompact } from "@behest/jws";
import { expect, test } from "vitest";
import {
  type Consent,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  verifyDelegation,
} from "../index.ts";

const [issuer, holder] = [await generateHolder(), await generateHolder()];
const issuers = [{ iss: "https://issuer.test", jwk: issuer.jwk }];
const claims = {
  issuer: "https://issuer.test",
  holder: holder.jwk,
  principal: "p",
  task: "t",
  tools: {},
  expiresIn: "1h",
} as const;
const consent: Consent = { rung: "passkey", evidence: "A".repeat(43) };

/** The last token of a chain with other claims, signed again. */
async function forged(chain: readonly string[], over: object, signer = issuer): Promise<string[]> {
  const payload = JSON.parse(splitCompact(chain.at(-1)!).payload) as object;
  return [...chain.slice(0, -1), await signCompact({ typ: "aat+jwt" }, { ...payload, ...over }, signer)];
}

test("a root says how its principal consented, and local where it says nothing", async () => {
  const { leaf } = await verifyDelegation(await issueDelegation({ ...claims, consent }, issuer), { issuers });
  expect(leaf.consent).toEqual(consent);
  const plain = await verifyDelegation(await issueDelegation(claims, issuer), { issuers });
  expect(plain.leaf.consent).toEqual({ rung: "local" });
});

test("nobody on the way can add a consent", async () => {
  const root = await issueDelegation(claims, issuer);
  const child = await deriveDelegation(root, { holder: holder.jwk, tools: {} }, holder);
  const chain = await forged(child.chain, { consent }, holder);
  const { claims: hops } = await verifyDelegation(chain, { issuers });
  expect(hops.map((hop) => hop.consent)).toEqual([{ rung: "local" }, undefined]);
  await expect(
    deriveDelegation(root, { holder: holder.jwk, tools: {}, consent } as never, holder),
  ).rejects.toMatchObject({ code: "malformed_request" });
});

test.each<[string, unknown]>([
  ["another rung", { rung: "sms" }],
  ["no rung", { evidence: consent.evidence }],
  ["evidence that is no digest", { rung: "oauth", evidence: "abc" }],
  ["evidence of the right length that is not base64url", { rung: "oauth", evidence: "=".repeat(43) }],
  ["a member more", { rung: "oauth", by: "me" }],
  ["a text", "oauth"],
  ["null", null],
])("a consent that cannot be understood refuses the root: %s", async (_name, bad) => {
  const { chain } = await issueDelegation(claims, issuer);
  await expect(verifyDelegation(await forged(chain, { consent: bad }), { issuers })).rejects.toMatchObject({
    code: "malformed_delegation",
    hop: 0,
  });
});

test("a consent that nobody would understand is not signed", async () => {
  for (const bad of [{ rung: "sms" }, { rung: "oauth", evidence: "abc" }, {}])
    await expect(issueDelegation({ ...claims, consent: bad as Consent }, issuer)).rejects.toMatchObject({
      code: "malformed_request",
    });
});
