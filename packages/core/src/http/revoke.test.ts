// Global token revocation over real sockets, and what those who may not revoke send.
import { connect } from "node:net";
import { type CutTarget, readCut } from "@behest/provenance";
import { generatePrivateJwk, publicKey, signerOf } from "@behest/jws";
import { afterEach, expect, test, vi } from "vitest";
import { type Served, serve } from "../../test/http/serve.ts";
import { testBehest } from "../testing.ts";
import { type TokenRevocation, globalTokenRevocation } from "./index.ts";

const revoker = signerOf(await generatePrivateJwk());
const iss = "https://issuer.test";
afterEach(() => vi.restoreAllMocks());

async function endpoint(
  change: Partial<TokenRevocation> = {},
): Promise<Served & { readonly cuts: CutTarget[]; readonly reasons: string[] }> {
  const [cuts, reasons]: [CutTarget[], string[]] = [[], []];
  const served = await serve(
    globalTokenRevocation({
      caller: ({ headers }) =>
        headers.get("authorization") === "Bearer secret"
          ? { name: "desk", may: (target) => !("tenant" in target) }
          : undefined,
      revoker,
      submit: async ({ jws }) => {
        const { target, reason } = await readCut(jws, publicKey(revoker.jwk));
        cuts.push(target);
        reasons.push(reason);
      },
      ...change,
    }),
  );
  return { ...served, cuts, reasons };
}
interface Sent {
  readonly method?: string;
  readonly body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly headers?: { readonly [name: string]: string };
}
function post(to: Served, body: unknown, { headers, ...change }: Sent = {}): Promise<Response> {
  return fetch(to.origin, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...change,
    ...(change.body instanceof ReadableStream && { duplex: "half" }),
    headers: { authorization: "Bearer secret", "content-type": "application/json", ...headers },
  });
}
const opaque = { format: "opaque", id: "x-1" };

test.each<[object, CutTarget]>([
  [
    { format: "iss_sub", iss, sub: "alice" },
    { principal: "alice", issuer: iss },
  ],
  [opaque, { principal: "x-1" }],
  [
    { format: "jwt_id", iss, jti: "j-1" },
    { delegation: "j-1", issuer: iss },
  ],
  [
    { format: "complex", user: { format: "iss_sub", iss, sub: "bob" } },
    { principal: "bob", issuer: iss },
  ],
  [{ format: "complex", application: opaque }, { agent: "x-1" }],
  [{ format: "complex", session: opaque }, { delegation: "x-1" }],
])("%j is revoked as what it stands for", async (sub_id, target) => {
  await using to = await endpoint();
  const response = await post(to, { sub_id });
  expect([response.status, await response.text()]).toEqual([204, ""]);
  expect(to.cuts).toEqual([target]);
  expect(to.reasons).toEqual(["global token revocation, by desk"]);
});

test("an answer that comes later, from a may that was made async, permits nothing", async () => {
  const may = (async () => true) as unknown as () => boolean;
  await using to = await endpoint({ caller: () => ({ name: "desk", may }) });
  expect((await post(to, { sub_id: opaque })).status).toBe(403);
  expect(to.cuts).toEqual([]);
});

test("what is revoked stops what runs below it, at once", async () => {
  await using behest = await testBehest();
  const tools = { read: {} };
  const [alice, bob] = [await behest.as("alice", tools), await behest.as("bob", tools)];
  await using to = await endpoint({ revoker: behest.revoker, submit: behest.revoke });
  const { status } = await post(to, { sub_id: { format: "iss_sub", iss, sub: "alice" } });
  expect([status, alice.signal.aborted, bob.signal.aborted]).toEqual([204, true, false]);
});

test.each<[number, string, unknown, object?]>([
  [400, "no JSON", "{sub_id"],
  [400, "no body", ""],
  [400, "JSON that says one thing twice", '{"sub_id":{"format":"opaque","id":"a","id":"b"}}'],
  [400, "no subject", {}],
  [400, "more than a subject", { sub_id: opaque, at: 0 }],
  [400, "a subject that is none", { sub_id: "alice" }],
  [400, "a subject without a format", { sub_id: { id: "x-1" } }],
  [400, "a subject with something more to it", { sub_id: { ...opaque, iss } }],
  [400, "an empty subject", { sub_id: { format: "opaque", id: "" } }],
  [400, "an address that nobody mapped", { sub_id: { format: "email", email: "alice@example.com" } }],
  [400, "what two members have in common", { sub_id: { format: "complex", user: opaque, session: opaque } }],
  [400, "bytes that are no text", new Uint8Array([0xff, 0xfe])],
  [401, "no credentials", { sub_id: opaque }, { headers: { authorization: "" } }],
  [401, "other credentials", { sub_id: opaque }, { headers: { authorization: "Bearer other" } }],
  [403, "what is not theirs", { sub_id: { format: "complex", tenant: opaque } }],
  [413, "more than is read", { sub_id: { format: "opaque", id: "x".repeat(70_000) } }],
  [415, "a form", { sub_id: opaque }, { headers: { "content-type": "application/x-www-form-urlencoded" } }],
  [415, "no type", { sub_id: opaque }, { headers: { "content-type": "" } }],
  [405, "another method", { sub_id: opaque }, { method: "PUT" }],
])("%i for %s, and nothing is cut", async (status, _, body, change) => {
  await using to = await endpoint();
  const response =
    body instanceof Uint8Array
      ? await post(to, "", { body: new Uint8Array(body) })
      : await post(to, body, change);
  expect(response.status).toBe(status);
  expect(to.cuts).toEqual([]);
  const said = await response.text();
  for (const sent of ["alice", "example.com", "x-1", "secret"]) expect(said).not.toContain(sent);
});

test("a deployment that knows addresses maps them, and says which it does not know", async () => {
  await using to = await endpoint({
    target: async ({ format, email }) =>
      format === "email" && email === "alice@example.com" ? { principal: "u-7", issuer: iss } : undefined,
  });
  const of = async (email: string): Promise<number> =>
    (await post(to, { sub_id: { format: "email", email } })).status;
  expect([await of("alice@example.com"), await of("bob@example.com")]).toEqual([204, 404]);
  expect(to.cuts).toEqual([{ principal: "u-7", issuer: iss }]);
  expect((await post(to, { sub_id: opaque })).status).toBe(204);
});

test("who is not known is not read, and who is known is not read for ever", async () => {
  await using to = await endpoint({ timeout: 100 });
  /** The status line of a request that announces a body and sends only its first bytes. */
  const slow = (authorization: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(to.port, "127.0.0.1");
      socket.once("data", (data) => {
        resolve(data.toString().split("\r\n")[0]!);
        socket.destroy();
      });
      socket.once("error", reject);
      socket.write(
        `POST / HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"sub_id"`,
      );
    });
  expect(await slow("Bearer other")).toContain("401");
  expect(await slow("Bearer secret")).toContain("408");
  expect(to.cuts).toEqual([]);
});

test("a body that never ends is not held", async () => {
  await using to = await endpoint();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 16_384;
      controller.enqueue(new Uint8Array(16_384).fill(32));
    },
  });
  const status = await post(to, "", { body }).then(
    (response) => response.status,
    () => "broken off",
  );
  expect([413, "broken off"]).toContain(status);
  expect(sent).toBeLessThan(64 * 1_048_576);
});

test("what could not be taken in is a 503, somebody is told, and the caller learns nothing of it", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using behest = await testBehest();
  // This revoker is nobody whom the trust manifest names.
  await using to = await endpoint({ submit: behest.revoke });
  const response = await post(to, { sub_id: opaque });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await response.json()).toEqual({
    err: "unavailable",
    description: "it could not be carried out now",
  });
  expect(warned).toHaveBeenCalledWith(expect.stringContaining("revocation_refused"), {
    code: "BEHEST_SIGNALS",
  });
});
