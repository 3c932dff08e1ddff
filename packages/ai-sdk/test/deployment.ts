// For tests: one deployment over a file, opened by processes that come and go.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MockLanguageModelV4 } from "ai/test";
import { type Behest, type Session, createBehest, sqliteStore } from "@behest/core";
import { type AatTools, generateHolder, issueDelegation } from "@behest/delegation";
import { generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { signTrust } from "@behest/provenance";
import { type Turn, fake } from "./fake.ts";

/** What all of a test's processes have in common: keys, the database, and what alice signed. */
export interface Deployment extends AsyncDisposable {
  start(): Promise<Behest>;
  /** Opens the same delegation again, as the same run. */
  open(behest: Behest): Promise<Session>;
}

export async function deploy(tools: AatTools): Promise<Deployment> {
  const folder = await mkdtemp(join(tmpdir(), "behest-"));
  const [owner, issuer, enforcer] = (await Promise.all([1, 2, 3].map(() => generatePrivateJwk()))).map(
    signerOf,
  );
  const holder = await generateHolder();
  const iss = "https://issuer.test";
  const manifest = await signTrust(
    {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "behest.test/log",
      rung: "local",
      issuers: [{ iss, jwk: issuer!.jwk, rung: "local" }],
      enforcers: [{ jwk: enforcer!.jwk }],
      approvers: [],
      revokers: [],
      witnesses: [],
    },
    owner!,
  );
  const trust = { owner: thumbprint(owner!.jwk), manifest };
  const claims = {
    issuer: iss,
    holder: holder.jwk,
    principal: "alice",
    task: "t",
    tools,
    expiresIn: "1h",
    maxDepth: 8,
  } as const;
  const root = await issueDelegation(claims, issuer!);
  const path = join(folder, "log.db");
  return {
    start: () =>
      createBehest({ trust, signer: enforcer!, holder, store: sqliteStore(path), policy: "grants-alone" }),
    open: (behest) => behest.open(root, { run: "chat-1" }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** A model whose provider fails at the nth turn. */
export function failing(at: number, ...script: Turn[]): MockLanguageModelV4 {
  const model = fake(...script);
  const { doGenerate, doStream } = model;
  const check = (prompt: { role: string }[]): void => {
    if (prompt.filter(({ role }) => role === "assistant").length === at)
      throw new Error("the provider is down");
  };
  return Object.assign(model, {
    doGenerate: async (options: Parameters<typeof doGenerate>[0]) => (
      check(options.prompt),
      doGenerate(options)
    ),
    doStream: async (options: Parameters<typeof doStream>[0]) => (check(options.prompt), doStream(options)),
  });
}
