// The README's section on status lists, as code that compiles and runs.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Delegation, generateHolder, issueDelegation, verifyDelegation } from "@behest/delegation";
import { freeIndex, statusListHandler } from "@behest/delegation/status";
import { statusChecker } from "@behest/delegation/status";
import { afterEach, expect, test, vi } from "vitest";

const readme = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8");
const own = readFileSync(import.meta.filename, "utf8");
/** Without what a formatter decides, and without remarks. */
const plain = (code: string): string =>
  code
    .replace(/ \/\/ .*$/gm, "")
    .replace(/\s+/g, "")
    .replace(/,([}\])])/g, "$1");
afterEach(() => vi.unstubAllGlobals());

test("every block of the section stands in this file", () => {
  const from = readme.indexOf("\n## Status lists");
  const section = readme.slice(from, readme.indexOf("\n## In other languages\n"));
  const blocks = [...section.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!);
  expect(blocks).toHaveLength(2);
  for (const part of blocks.flatMap((code) => code.split("\n\n"))) expect(plain(own)).toContain(plain(part));
});

test("an issuer takes back what it issued", async () => {
  const [issuerKey, agent] = [await generateHolder(), await generateHolder()];
  const claims = {
    issuer: "https://issuer.example",
    holder: agent.jwk,
    principal: "alice",
    task: "t",
    tools: {},
    expiresIn: "1h",
  } as const;
  const issued = new Map<number, Delegation>();
  const revoked = new Set<number>();
  const isRevoked = (index: number): boolean => revoked.has(index);

  const uri = "https://issuer.example/status/1";
  const idx = freeIndex(65_536, (index) => issued.has(index));
  const root = await issueDelegation({ ...claims, status: { uri, idx } }, issuerKey);
  issued.set(idx, root);

  const handler = statusListHandler(
    {
      lists: [{ uri, size: 65_536, revoked: () => [...issued.keys()].filter(isRevoked) }],
      aggregation: "https://issuer.example/status",
    },
    issuerKey,
  );

  vi.stubGlobal("fetch", (url: string) => handler(new Request(url)));
  const issuers = [{ iss: claims.issuer, jwk: issuerKey.jwk }];
  const status = statusChecker({ issuers });
  await verifyDelegation(root, { issuers, status });

  revoked.add(idx);
  vi.spyOn(performance, "now").mockReturnValue(performance.now() + 31_000);
  await expect(verifyDelegation(root, { issuers, status })).rejects.toMatchObject({ code: "revoked" });
  vi.restoreAllMocks();
});
