import { type Json, canonical, signCompact } from "@behest/jws";
import { expect, test } from "vitest";
import { deriveDelegation, generateHolder, issueDelegation, proveAction, replayCache } from "./index.ts";
import { type ActorTokenOptions, signActorToken, verifyActorToken } from "./oauth.ts";

const NOW = 1_800_000_000;
const ENDPOINT = "https://as.test/token";
const [issuer, holder, worker, thief] = [
  await generateHolder(),
  await generateHolder(),
  await generateHolder(),
  await generateHolder(),
];
const claims = {
  issuer: "https://issuer.test",
  holder: holder.jwk,
  principal: "alice",
  task: "t",
  agent: "clerk",
  tools: { pay: {}, read: {} },
  expiresIn: "1h",
  maxDepth: 2,
  now: NOW,
} as const;
const root = await issueDelegation(claims, issuer);
const leaf = await deriveDelegation(
  root,
  { agent: "payer", holder: worker.jwk, tools: { pay: {} }, now: NOW },
  holder,
);
const request = { delegation: leaf, tool: "pay", endpoint: ENDPOINT, client: "office", now: NOW } as const;

/** What the server checks with: a cache of its own each time. */
function server(over: Partial<ActorTokenOptions> = {}): ActorTokenOptions {
  const issuers = [{ iss: claims.issuer, jwk: issuer.jwk }];
  const replay = replayCache({ now: () => NOW });
  return { issuers, endpoint: ENDPOINT, client: "office", replay, now: NOW, ...over };
}

/** A well-signed token that says something else. */
async function forged(change: object, signer = worker, typ = "behest-actor+jwt"): Promise<string> {
  const honest = (await signActorToken(request, worker)).split(".")[1]!;
  const said = JSON.parse(Buffer.from(honest, "base64url").toString()) as { [name: string]: Json };
  const payload = JSON.parse(JSON.stringify({ ...said, ...change })) as typeof said;
  return signCompact({ typ }, payload, signer);
}

test("an actor token proves the chain to the server that it is for: who acts, for whom, by way of whom", async () => {
  const { delegation, ...said } = await verifyActorToken(await signActorToken(request, worker), server());
  expect(delegation).toMatchObject({ principal: "alice", issuer: claims.issuer, hops: 2 });
  expect(said).toMatchObject({
    root: root.chain[0],
    tool: "pay",
    act: { sub: "payer", act: { sub: "clerk", iss: claims.issuer } },
  });
});

test("it is accepted once, also by two requests at once, and by nobody while the server cannot remember it", async () => {
  const token = await signActorToken(request, worker);
  for (const replay of [replayCache({ now: () => NOW }), new Set<string>()]) {
    const once = server({ replay });
    const answers = await Promise.allSettled([verifyActorToken(token, once), verifyActorToken(token, once)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await expect(verifyActorToken(token, once)).rejects.toMatchObject({ code: "actor_token_replayed" });
  }
  const full = server({ replay: replayCache({ max: 1, now: () => NOW }) });
  await verifyActorToken(await signActorToken(request, worker), full);
  await expect(verifyActorToken(token, full)).rejects.toMatchObject({ code: "replay_cache_full" });
});

test("one that was refused is not spent, and another holder's of the same id is another one", async () => {
  const replay = replayCache({ now: () => NOW });
  const token = await signActorToken({ ...request, jti: "1" }, worker);
  await expect(verifyActorToken(token, server({ replay, client: "thief" }))).rejects.toBeDefined();
  await verifyActorToken(token, server({ replay }));
  const other = await signActorToken({ ...request, delegation: root, jti: "1" }, holder);
  expect(await verifyActorToken(other, server({ replay }))).toMatchObject({ jti: "1" });
});

test.each<[string, string, Partial<ActorTokenOptions>]>([
  ["at another server", "audience_refused", { endpoint: "https://other.test/token" }],
  ["by another client", "actor_token_refused", { client: "thief" }],
  ["a minute later", "actor_token_expired", { now: NOW + 60 }],
  ["where its issuer is not trusted", "issuer_untrusted", { issuers: [] }],
])("presented %s it is refused", async (_, code, over) => {
  const token = await signActorToken(request, worker);
  await expect(verifyActorToken(token, server(over))).rejects.toMatchObject({ code });
});

test.each<[string, string, () => Promise<string>]>([
  ["signed by another than the leaf's holder", "signature_invalid", () => forged({}, thief)],
  ["signed by the parent's holder", "signature_invalid", () => forged({}, holder)],
  ["of another type", "header_refused", () => forged({}, worker, "aat-pop+jwt")],
  [
    "that is a proof of a call",
    "header_refused",
    () => proveAction({ delegation: leaf, tool: "pay", args: {}, audience: ENDPOINT, now: NOW }, worker),
  ],
  ["that is the leaf itself", "header_refused", async () => leaf.chain[1]!],
  ["with a cut chain", "signature_invalid", () => forged({ chain: root.chain })],
  [
    "with a chain that was put together",
    "chain_broken",
    () => forged({ chain: [...root.chain].reverse().concat(leaf.chain[0]!) }),
  ],
  ["without a chain", "malformed_delegation", () => forged({ chain: [] })],
  ["with a chain of other things", "actor_token_refused", () => forged({ chain: [1] })],
  ["in another's name", "actor_token_refused", () => forged({ iss: "x", sub: "x" })],
  ["of two names", "actor_token_refused", () => forged({ sub: "x" })],
  ["for a list of servers", "audience_refused", () => forged({ aud: [ENDPOINT] })],
  ["without a client", "actor_token_refused", () => forged({ client_id: undefined })],
  ["without an id", "actor_token_refused", () => forged({ jti: undefined })],
  ["without an end", "actor_token_refused", () => forged({ exp: undefined })],
  ["that was made ahead of time", "actor_token_refused", () => forged({ iat: NOW + 31, exp: NOW + 60 })],
  ["that lasts", "actor_token_refused", () => forged({ exp: NOW + 3600 })],
  ["for a tool that its leaf does not name", "tool_not_granted", () => forged({ tool: "read" })],
  ["that is no token", "actor_token_refused", async () => "x"],
  ["that is endless", "actor_token_refused", async () => "x".repeat(1_000_000)],
  [
    "with a claim twice",
    "actor_token_refused",
    async () =>
      signCompact({ typ: "behest-actor+jwt" }, canonical({ tool: "a" }).replace("{", '{"tool":"b",'), worker),
  ],
])("one %s is refused", async (_, code, make) => {
  await expect(verifyActorToken(await make(), server())).rejects.toMatchObject({ code });
});

test("a changed character anywhere is refused", async () => {
  const token = await signActorToken(request, worker);
  for (let i = 0; i < token.length; i += 7) {
    const other = token[i] === "A" ? "B" : "A";
    const changed = token.slice(0, i) + other + token.slice(i + 1);
    await expect(verifyActorToken(changed, server())).rejects.toBeDefined();
  }
});

test("only the leaf's holder signs one, of a chain, for somebody", async () => {
  const code = (code_: string): object => ({ code: code_ });
  await expect(signActorToken(request, holder)).rejects.toMatchObject(code("holder_mismatch"));
  await expect(signActorToken({ ...request, delegation: "x" }, worker)).rejects.toMatchObject(
    code("malformed_delegation"),
  );
  await expect(signActorToken({ ...request, delegation: [] }, worker)).rejects.toMatchObject(
    code("malformed_delegation"),
  );
  for (const wrong of [{ endpoint: "" }, { client: "" }, { tool: "" }, { args: {} }])
    await expect(signActorToken({ ...request, ...wrong }, worker)).rejects.toMatchObject(
      code("malformed_request"),
    );
});
