import { generateSigner, thumbprint } from "@behest/jws";
import { MAX_ENTRY, signTrust } from "@behest/provenance";
import { afterEach, expect, test, vi } from "vitest";
import { serve } from "../test/http/serve.ts";
import { trusted } from "./trust.ts";

afterEach(() => vi.restoreAllMocks());

/** The manifest as it is had from a real server; that one speaks http in place of https is all that is pretended. */
async function fetched(answer: (path: string, jws: string) => Response) {
  const [owner, issuer, enforcer] = await Promise.all([1, 2, 3].map(() => generateSigner()));
  const jws = await signTrust(
    {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "t/log",
      issuers: [{ iss: "urn:t", jwk: issuer!.jwk }],
      enforcers: [{ jwk: enforcer!.jwk }],
      approvers: [],
      revokers: [],
      witnesses: [],
    },
    owner!,
  );
  await using server = await serve(async ({ url }) => answer(new URL(url).pathname, jws));
  const real = fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation((url, init) =>
    real(String(url).replace("https://trust.test", server.origin), init),
  );
  const manifest = new URL("https://trust.test/trust.jws");
  return await trusted({ owner: thumbprint(owner!.jwk), manifest });
}

test("a manifest is fetched from where its URL says, and from nowhere that leads to", async () => {
  expect((await fetched((_, jws) => new Response(`${jws}\n`))).manifest.origin).toBe("t/log");
  const led = fetched((path, jws) =>
    path === "/other"
      ? new Response(jws)
      : new Response("moved", { status: 302, headers: { location: "/other" } }),
  );
  await expect(led).rejects.toMatchObject({ code: "trust_invalid" });
  await expect(fetched((_, jws) => new Response(jws, { status: 203 }))).rejects.toMatchObject({
    code: "trust_invalid",
  });
});

test("an answer that is longer than any manifest is not read to its end", async () => {
  await expect(fetched((_, jws) => new Response(jws + " ".repeat(MAX_ENTRY)))).rejects.toMatchObject({
    code: "trust_invalid",
    cause: { message: "the answer is too large" },
  });
});
