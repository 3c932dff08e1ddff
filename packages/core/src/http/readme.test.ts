// The README's section on revoking from elsewhere, as code that compiles and runs.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Delegation } from "@behest/delegation";
import { generatePrivateJwk, signerOf } from "@behest/jws";
import { cutsIn } from "@behest/core/http";
import { globalTokenRevocation, signalReceiver, submitTo } from "@behest/core/http";
import { expect, test } from "vitest";
import { MemoryFeed } from "../revocation/memory.ts";
import type { CutTarget } from "../index.ts";

const readme = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8");
const own = readFileSync(import.meta.filename, "utf8");
/** Without what a formatter decides, and without remarks. */
const plain = (code: string): string =>
  code
    .replace(/ ?\/\/ .*$/gm, "")
    .replace(/\s+/g, "")
    .replace(/,([}\])])/g, "$1");

test("every block of the section stands in this file", () => {
  const from = readme.indexOf("\n## Revoked from elsewhere");
  const section = readme.slice(from, readme.indexOf("\n## Credentials\n"));
  const blocks = [...section.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!);
  expect(blocks).toHaveLength(2);
  for (const part of blocks.flatMap((code) => code.split("\n\n"))) expect(plain(own)).toContain(plain(part));
});

test("a desk and a provider, at one feed", async () => {
  const [feed, revoker] = [new MemoryFeed(), signerOf(await generatePrivateJwk())];
  const trust = { owner: "o", manifest: "m" };
  const may = (target: CutTarget): boolean => "principal" in target;
  const callerOf = (header: string | null) => (header === "Bearer desk" ? { name: "desk", may } : undefined);
  const personOf = async (_address: unknown): Promise<CutTarget> => ({ principal: "u-7" });
  const bearer = (): string => "Bearer token";
  const signal = AbortSignal.abort();
  const issued: { delegation: Delegation; idx: number }[] = [];

  const submit = submitTo(feed, trust);

  const revoke = globalTokenRevocation({
    caller: async ({ headers }) => callerOf(headers.get("authorization")),
    target: async ({ format, email }) => (format === "email" ? personOf(email) : undefined),
    revoker,
    submit,
  });

  const { push, poll } = signalReceiver({
    transmitters: [
      {
        iss: "https://idp.example",
        jwks: "https://idp.example/ssf/jwks",
        audience: "https://behest.example/signals",
        speaksFor: ["https://idp.example"],
      },
    ],
    revoker,
    submit,
  });
  await poll({ url: "https://idp.example/ssf/poll", authorization: () => bearer(), signal });

  const revoked = async () => {
    const isCut = await cutsIn(feed, trust);
    return issued.filter(({ delegation }) => isCut(delegation)).map(({ idx }) => idx);
  };
  // There is no such deployment.
  await expect(revoked()).rejects.toMatchObject({ code: "trust_invalid" });
  const empty = new Request("https://behest.example/", { method: "POST" });
  expect([(await revoke(empty)).status, (await push(empty)).status]).toEqual([401, 415]);
});
