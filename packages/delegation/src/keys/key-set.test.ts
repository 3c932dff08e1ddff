import { afterEach, expect, test, vi } from "vitest";
import { generateHolder, issueDelegation, verifyDelegation } from "../index.ts";

const [old, next, holder] = [await generateHolder(), await generateHolder(), await generateHolder()];
const claims = {
  issuer: "https://issuer.test",
  holder: holder.jwk,
  principal: "p",
  task: "t",
  tools: {},
  expiresIn: "1h",
} as const;
afterEach(() => vi.unstubAllGlobals());

/** Serves key sets in turn, the last one for ever. */
function serve(...answers: readonly (readonly object[] | number)[]): { requests: number } {
  const count = { requests: 0 };
  vi.stubGlobal("fetch", async () => {
    const answer = answers[Math.min(count.requests++, answers.length - 1)]!;
    return typeof answer === "number"
      ? new Response("", { status: answer })
      : Response.json({ keys: answer });
  });
  return count;
}
let sequence = 0;
const anchor = () => ({ iss: "https://issuer.test", jwks: `https://issuer.test/keys/${sequence++}` });

test("an issuer's keys are fetched once, and kept", async () => {
  const count = serve([{ kty: "RSA", n: "AQAB", e: "AQAB" }, { ...next.jwk, use: "enc" }, old.jwk]);
  const issuers = [anchor()];
  for (let i = 0; i < 3; i++)
    await expect(verifyDelegation(await issueDelegation(claims, old), { issuers })).resolves.toHaveProperty(
      "issuerKey",
      old.thumbprint,
    );
  await expect(verifyDelegation(await issueDelegation(claims, next), { issuers })).rejects.toMatchObject({
    code: "issuer_untrusted",
  });
  expect(count.requests).toBe(1);
});

test("a new key is found after the cool-down, at one request", async () => {
  const count = serve([old.jwk], [next.jwk]);
  const issuers = [anchor()];
  const now = Math.floor(Date.now() / 1000);
  const [first, second] = [await issueDelegation(claims, old), await issueDelegation(claims, next)];
  await verifyDelegation(first, { issuers, now });
  vi.useFakeTimers({ now: Date.now() + 31_000, toFake: ["Date"] });
  try {
    await expect(verifyDelegation(second, { issuers, now })).resolves.toHaveProperty(
      "issuerKey",
      next.thumbprint,
    );
  } finally {
    vi.useRealTimers();
  }
  expect(count.requests).toBe(2);
});

test("a root that names another issuer causes no request", async () => {
  const count = serve([old.jwk]);
  const other = await issueDelegation({ ...claims, issuer: "https://other.test" }, old);
  await expect(verifyDelegation(other, { issuers: [anchor()] })).rejects.toMatchObject({
    code: "issuer_untrusted",
    step: "3b",
  });
  expect(count.requests).toBe(0);
});

test("an unreachable or unprotected key set denies", async () => {
  serve(500);
  const root = await issueDelegation(claims, old);
  await expect(verifyDelegation(root, { issuers: [anchor()] })).rejects.toMatchObject({
    code: "issuer_unreachable",
  });
  for (const jwks of ["http://issuer.test/keys", "keys", "file:///etc/passwd"])
    await expect(
      verifyDelegation(root, { issuers: [{ iss: "https://issuer.test", jwks }] }),
    ).rejects.toMatchObject({ code: "malformed_request" });
});
