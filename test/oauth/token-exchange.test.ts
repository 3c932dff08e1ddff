// Token exchange end to end: both frameworks, a real store, and an authorization server that verifies what it is given.
import type { webcrypto } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { context, propagation, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { generateText, isStepCount, tool as aiTool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { AIMessage, createAgent, fakeModel, tool } from "langchain";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { guard } from "@behest/ai-sdk";
import { type Session, memoryStore, sqliteStore, useCredential } from "@behest/core";
import { tokenExchange } from "@behest/core/oauth";
import { testBehest } from "@behest/core/testing";
import { generateHolder, grants } from "@behest/delegation";
import { signActorToken } from "@behest/delegation/oauth";
import { behestMiddleware } from "@behest/langchain";
import { type Server, authorizationServer } from "./authorization-server.ts";

const SECRET = "s3cr3t of the client:+";
const PERSONAL = "alices-own-access-token";
const tools = grants({ pay: {}, read: {}, look: {} }, { pay: true, read: true, look: true });
const never = async (): Promise<never> => expect.unreachable("a tool body ran");

const pair = (await crypto.subtle.generateKey("Ed25519", true, [
  "sign",
  "verify",
])) as webcrypto.CryptoKeyPair;
const exporter = new InMemorySpanExporter();
const sdk = new NodeSDK({
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
  metricReaders: [],
  logRecordProcessors: [],
  autoDetectResources: false,
});
beforeAll(() => sdk.start());
beforeEach(() => exporter.reset());
afterAll(async () => {
  await sdk.shutdown();
  for (const api of [trace, context, propagation]) api.disable();
});

/** A deployment whose tools get tokens of a server that trusts its issuer. */
async function deployment(over: Partial<Parameters<typeof tokenExchange>[0]> = {}, store = memoryStore()) {
  const holder = await generateHolder();
  let server: Server | undefined;
  const behest = await testBehest({
    store,
    holder,
    credentials: (name, session) =>
      tokenExchange({
        server: server!,
        client: { id: "office", secret: SECRET },
        tools: { pay: { audience: "https://bank.test", scope: "pay" }, read: {} },
        ...over,
      })(name, session),
  });
  const { iss, signer } = behest.issuer;
  server = await authorizationServer({
    issuers: [{ iss, jwk: signer.jwk }],
    clients: {
      office: { secret: SECRET },
      keyed: { jwk: await crypto.subtle.exportKey("jwk", pair.publicKey) },
    },
    people: { [PERSONAL]: "alice", other: "bob" },
  });
  const made = { behest, server, holder };
  return {
    ...made,
    [Symbol.asyncDispose]: async () => (await behest.close(), await server[Symbol.asyncDispose]()),
  };
}

/** What the server's token says. */
function said(token: string): { readonly [name: string]: unknown } {
  return JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()) as { [name: string]: unknown };
}

/** An agent of each framework that calls `pay` once, with this body. */
const agents: { readonly [name: string]: (session: Session, body: () => string) => Promise<unknown> } = {
  async langchain(session, body) {
    const pay = tool(async () => body(), { name: "pay", description: "d", schema: z.object({}) });
    const model = fakeModel()
      .respond(new AIMessage({ content: "", tool_calls: [{ name: "pay", args: {}, id: "1" }] }))
      .respond(new AIMessage("done"));
    const agent = createAgent({ model, tools: [pay], middleware: behestMiddleware() });
    return session.run(() => agent.invoke({ messages: [{ role: "user", content: "go" }] }));
  },
  async "ai-sdk"(session, body) {
    const usage = {
      inputTokens: { total: 1, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: 1, text: undefined, reasoning: undefined },
    };
    let turn = 0;
    const model = new MockLanguageModelV4({
      doGenerate: async () => ({
        content:
          turn++ === 0
            ? [{ type: "tool-call", toolCallId: "1", toolName: "pay", input: "{}" }]
            : [{ type: "text", text: "done" }],
        finishReason: { unified: turn === 1 ? "tool-calls" : "stop", raw: undefined },
        usage,
        warnings: [],
      }),
    });
    const pay = aiTool({ inputSchema: z.object({}), execute: async () => body() });
    return generateText(guard({ model, tools: { pay }, prompt: "go", stopWhen: isStepCount(3) }, session));
  },
};

test.each(Object.entries(agents))(
  "%s: a tool's body gets the token, of the person with the chain as its actor; nothing else ever holds it",
  async (_, agent) => {
    const folder = mkdtempSync(join(tmpdir(), "behest-"));
    try {
      await using made = await deployment({}, sqliteStore(join(folder, "log.db")));
      const { behest, server } = made;
      const session = await behest.as("alice", tools, { agent: "clerk" });
      let token = "";
      const answer = await agent(session, () => {
        token = useCredential();
        return "paid";
      });
      expect(said(token)).toMatchObject({
        sub: "alice",
        aud: "https://bank.test",
        scope: "pay",
        tool: "pay",
      });
      expect(said(token)["act"]).toMatchObject({ sub: expect.stringContaining("thumbprint") as string });
      expect(() => useCredential()).toThrow(/no_session/);
      expect(() => session.run(() => useCredential())).toThrow(/no_session/);
      const [record] = await behest.records.list();
      const full = (await behest.records.get(record!.index))!;
      expect(full.entries.outcome).toMatchObject({ outcome: "done", credential: "at-1" });
      await behest.close();

      const [{ form }] = server.seen as [Server["seen"][number]];
      const spans = exporter.getFinishedSpans().map((s) => [s.name, s.attributes, s.events, s.status]);
      const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
      // What is looked through is there.
      expect(spans.map(([name]) => name)).toContain("execute_tool pay");
      expect(files.some((text) => text.includes(record!.action))).toBe(true);
      const everything = [JSON.stringify([answer, spans, full]), ...files];
      for (const secret of [token, token.split(".")[2]!, form.get("actor_token")!, SECRET])
        for (const text of everything) expect(text.includes(secret)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("a sub-agent's token names it and whom it acts for, by way of whom, and each call gets one of its own", async () => {
  await using made = await deployment();
  const session = await made.behest.as("alice", tools, { agent: "clerk" });
  const child = await session.delegate({ agent: "payer", tools: { pay: {} } });
  const got: string[] = [];
  for (let i = 0; i < 2; i++)
    await child.perform({ tool: "pay", args: {} }, async () => got.push(useCredential()));
  expect(said(got[0]!)["act"]).toMatchObject({ sub: "payer", act: { sub: expect.any(String) as string } });
  expect(got.map((token) => said(token)["jti"])).toEqual(["at-1", "at-2"]);
  // What is not in the list gets none.
  await child.perform({ tool: "look", args: {} }, async () => 1).catch(() => {});
  await session.perform({ tool: "look", args: {} }, async () => expect(() => useCredential()).toThrow());
  expect(made.server.seen).toHaveLength(2);
});

test("the person's own token is exchanged where there is one, and one of somebody else is refused", async () => {
  let own: string | undefined = PERSONAL;
  await using made = await deployment({
    subject: () => (own === undefined ? undefined : { token: own, type: "access_token" }),
  });
  const session = await made.behest.as("alice", tools);
  const read = (body: () => Promise<unknown>) => session.perform({ tool: "read", args: {} }, body);
  const forms = () => made.server.seen.map(({ form }) => form.get("subject_token_type")?.split(":").at(-1));
  expect(await read(async () => said(useCredential())["sub"])).toMatchObject({ value: "alice" });
  own = undefined;
  expect(await read(async () => said(useCredential())["sub"])).toMatchObject({ value: "alice" });
  expect(forms()).toEqual(["access_token", "jwt"]);
  own = "other";
  expect(await read(never)).toMatchObject({ outcome: "failed", code: "credential_failed" });
  expect(made.server.seen.at(-1)!.said).toMatchObject({ error: "invalid_grant" });
});

test("a client with a key of its own authenticates with it", async () => {
  await using made = await deployment({ client: { id: "keyed", key: pair.privateKey } });
  const session = await made.behest.as("alice", tools);
  expect(await session.perform({ tool: "pay", args: {} }, async () => useCredential())).toMatchObject({
    outcome: "done",
  });
  await using wrong = await deployment({ client: { id: "office", secret: "guessed" } });
  const other = await wrong.behest.as("alice", tools);
  expect(await other.perform({ tool: "pay", args: {} }, never)).toMatchObject({ code: "credential_failed" });
});

test("an actor token that somebody got hold of is of no use: not again, not by another client, not elsewhere", async () => {
  await using made = await deployment();
  await using elsewhere = await deployment();
  const { behest, server, holder } = made;
  const session = await behest.as("alice", tools);
  await session.perform({ tool: "pay", args: {} }, async () => 1);
  const [{ form }] = server.seen as [Server["seen"][number]];
  const post = async (to: string, id: string, secret: string, body = form): Promise<unknown> => {
    const authorization = `Basic ${btoa(`${id}:${encodeURIComponent(secret)}`)}`;
    const response = await fetch(to, { method: "POST", body, headers: { authorization } });
    return ((await response.json()) as { error_description?: string }).error_description;
  };
  expect(await post(server.token_endpoint, "office", SECRET)).toBe("actor_token_replayed");
  const fresh = new URLSearchParams(form);
  const request = { tool: "pay", endpoint: server.token_endpoint } as const;
  const delegation = [form.get("subject_token")!];
  fresh.set("actor_token", await signActorToken({ ...request, delegation, client: "keyed" }, holder));
  expect(await post(server.token_endpoint, "office", SECRET, fresh)).toBe("actor_token_refused");
  // The chain is of an issuer that the other server does not know; its own clients cannot use it either.
  expect(await post(elsewhere.server.token_endpoint, "office", SECRET, fresh)).toBe("issuer_untrusted");
});

test("where nobody has delegated anything there is no chain to prove, and no token", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const server = { issuer: "http://127.0.0.1:1", token_endpoint: "http://127.0.0.1:1/token" };
  const credentials = tokenExchange({ server, client: { id: "a", secret: "b" }, tools: { pay: {} } });
  await using behest = await testBehest({ enforce: "shadow", credentials });
  const outcome = await behest.observe().perform({ tool: "pay", args: {} }, never);
  expect(outcome).toMatchObject({ outcome: "failed", code: "credential_failed" });
});
