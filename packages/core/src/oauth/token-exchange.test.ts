import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { grants } from "@behest/delegation";
import { afterEach, expect, test, vi } from "vitest";
import { useCredential } from "../session/ambient.ts";
import { BehestError } from "../error.ts";
import { testBehest } from "../testing.ts";
import { type TokenExchange, tokenExchange } from "./index.ts";

const tools = grants({ pay: {} }, { pay: true });
const client = { id: "office", secret: "c1ient-s3cr3t" } as const;
const TYPE = "urn:ietf:params:oauth:token-type:";
const good = { access_token: "t0ken", issued_token_type: `${TYPE}access_token`, token_type: "Bearer" };
const never = async (): Promise<never> => expect.unreachable("a tool body ran");

const open: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of open.splice(0)) close();
});

/** A server that says whatever it likes, and what one action under `alice` comes to with it. */
async function against(listener: RequestListener, signal?: AbortSignal) {
  const http = createServer((request, response) => {
    request.resume().on("end", () => listener(request, response));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  open.push(() => (http.closeAllConnections(), http.close()));
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const server = { issuer, token_endpoint: `${issuer}/token` };
  const exchange = tokenExchange({ server, client, tools: { pay: {} } });
  let thrown: unknown;
  const behest = await testBehest({
    credentials: (tool, session) =>
      exchange(tool, session).catch((error: unknown) => {
        thrown = error;
        throw error;
      }),
  });
  open.push(() => void behest.close());
  const alice = await behest.as("alice", tools, { ...(signal && { signal }) });
  const act = (body: () => Promise<unknown>) => alice.perform({ tool: "pay", args: {} }, body);
  const name = async (): Promise<string | undefined> => {
    const [record] = await behest.records.list();
    return (await behest.records.get(record!.index))!.entries.outcome?.credential;
  };
  return { act, name, thrown: () => thrown };
}

const json =
  (body: unknown, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

function jwt(claims: unknown): string {
  const [head, body] = [{ alg: "none" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  return `${head}.${body}.AA`;
}

test.each<[string, unknown, string | RegExp]>([
  ["a JWT, by its jti", jwt({ jti: "at-1" }), "at-1"],
  ["a JWT without one", jwt({ sub: "alice" }), /^sha256:[\w-]{22}$/],
  ["a JWT whose jti says too much", jwt({ jti: "alice smith@example.com" }), /^sha256:[\w-]{22}$/],
  ["a JWT whose jti is no text", jwt({ jti: { a: 1 } }), /^sha256:[\w-]{22}$/],
  ["a JWT of nothing", jwt(null), /^sha256:[\w-]{22}$/],
  ["opaque", "t0ken", /^sha256:[\w-]{22}$/],
])("a token that is %s is called by a name that is not the token", async (_, token, called) => {
  const { act, name } = await against(json({ ...good, access_token: token, expires_in: 60 }));
  expect(await act(async () => useCredential())).toMatchObject({ outcome: "done", value: token });
  expect(await name()).toEqual(called instanceof RegExp ? expect.stringMatching(called) : called);
});

test.each<[string, RequestListener]>([
  ["an error", json({ error: "invalid_grant", error_description: "t0ken" }, 400)],
  ["a failure", (_, response) => void response.writeHead(500).end("t0ken")],
  ["nothing", (_, response) => void response.writeHead(204).end()],
  ["what is no JSON", (_, response) => void response.end("t0ken")],
  ["another place", (_, response) => void response.writeHead(307, { location: "/other" }).end()],
  ["no token", json({ ...good, access_token: undefined })],
  ["a token of no stated type", json({ ...good, issued_token_type: undefined })],
  ["a token of another type", json({ ...good, issued_token_type: `${TYPE}refresh_token` })],
  ["a token that is bound to a key", json({ ...good, token_type: "DPoP" })],
  ["a token that is not for access", json({ ...good, token_type: "N_A" })],
  ["a token that has run out", json({ ...good, expires_in: 0 })],
  ["a token that runs out in words", json({ ...good, expires_in: "soon" })],
  ["more than a token", json({ ...good, more: "x".repeat(300_000) })],
  ["no end of it", (_, response) => void response.write("x".repeat(300_000))],
  ["half of it", (request) => void request.socket.destroy()],
])("a server that answers with %s starts no body, and nobody is told what it said", async (_, listener) => {
  const { act, name, thrown } = await against(listener);
  const outcome = await act(never);
  expect(outcome).toMatchObject({ outcome: "failed", code: "credential_failed" });
  const error = thrown() as BehestError;
  expect(error).toMatchObject({ code: "credential_failed" });
  expect(error.cause).toBeUndefined();
  expect(`${error.stack}${JSON.stringify(outcome)}`).not.toMatch(/t0ken|c1ient|eyJ/);
  expect(await name()).toBeUndefined();
});

test("a server that does not answer in time is left, and so is one whose session ends", async () => {
  const stop = new AbortController();
  const hung = await against(() => stop.abort(new Error("stop")), stop.signal);
  expect(await hung.act(never)).toMatchObject({ outcome: "aborted" });
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    expect(ms).toBe(10_000);
    return AbortSignal.abort(new DOMException("over", "TimeoutError"));
  });
  const slow = await against(() => {});
  expect(await slow.act(never)).toMatchObject({ outcome: "failed", code: "credential_failed" });
});

test.each<[string, Partial<TokenExchange>]>([
  ["over plain http", { server: { issuer: "http://as.test", token_endpoint: "http://as.test/token" } }],
  ["at a name that only begins like this machine's", at("http://localhost.evil.test/token")],
  ["at what is no URL", at("token")],
  ["with a user in its address", at("https://a:b@as.test/token")],
  ["with a fragment", at("https://as.test/token#a")],
  ["without a client's id", { client: { id: "", secret: "b" } }],
  ["without a client's secret", { client: { id: "a" } as never }],
  ["with an empty secret", { client: { id: "a", secret: "" } }],
  ["with both", { client: { id: "a", secret: "b", key: {} } as never }],
  ["with a key that is none", { client: { id: "a", key: { d: "x" } } as never }],
])("an exchange %s is not set up", (_, over) => {
  const whole = { ...at("https://as.test/token"), client, tools: {}, ...over };
  expect(() => tokenExchange(whole)).toThrow(
    expect.objectContaining({ code: "config_invalid" }) as BehestError,
  );
});

function at(address: string): Pick<TokenExchange, "server"> {
  return { server: { issuer: "https://as.test", token_endpoint: address } };
}

test("a tool that is not in the list gets none, whatever it is called", async () => {
  const exchange = tokenExchange({ ...at("https://as.test/token"), client, tools: { pay: {} } });
  for (const tool of ["read", "toString", "__proto__"])
    expect(await exchange(tool, {} as never)).toBeUndefined();
  // Nor does anything that is no session of this process.
  await expect(exchange("pay", {} as never)).rejects.toMatchObject({ code: "credential_failed" });
});
