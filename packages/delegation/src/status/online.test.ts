// Status lists on a real HTTPS server, with what stands in the way of one.
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { localServer } from "../../test/https.ts";
import { generateHolder } from "../index.ts";
import { type Status, statusList, statusListHandler, statusReader } from "../status.ts";

const issuer = await generateHolder();
const iss = "https://issuer.test";
const root = { issuer: iss, principal: "alice" };
const now = (): number => Math.floor(Date.now() / 1000);

type Answer = (response: ServerResponse) => unknown;
const answers = new Map<string, Answer>();
const server = await localServer((path, response) => void answers.get(path)?.(response));
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => vi.useRealTimers());

let sequence = 0;
const place = (): { path: string; uri: string } => {
  const path = `/${sequence++}`;
  return { path, uri: server.origin + path };
};
const reader = (): ReturnType<typeof statusReader> => statusReader({ issuers: [{ iss, jwk: issuer.jwk }] });
async function statusWith(answer: (response: ServerResponse, token: string) => unknown): Promise<Status> {
  const { path, uri } = place();
  const token = await statusList({ uri, size: 16, revoked: [] }, issuer);
  answers.set(path, (response) => answer(response, token));
  return reader()({ uri, idx: 0 }, root);
}
const timesAsked = (path: string): number => server.asked.filter((one) => one === path).length;

test("what is served is read, packed on the way or not", async () => {
  expect(await statusWith((response, token) => response.end(token))).toBe("valid");
  expect(
    await statusWith((response, token) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(token)),
    ),
  ).toBe("valid");
});

test("a redirect is not followed, wherever it leads", async () => {
  const inside = place();
  answers.set(inside.path, (response) => response.end("secret"));
  for (const status of [301, 302, 303, 307, 308])
    for (const location of [inside.uri, "http://127.0.0.1:1/", "http://169.254.169.254/latest/meta-data/"])
      expect(await statusWith((response) => response.writeHead(status, { location }).end())).toBe("unknown");
  expect(timesAsked(inside.path)).toBe(0);
});

test("an answer that is none, breaks off, or does not end says nothing", async () => {
  for (const status of [201, 204, 404, 500, 503])
    expect(
      await statusWith((response, token) =>
        response.writeHead(status).end(status === 204 ? undefined : token),
      ),
    ).toBe("unknown");
  expect(
    await statusWith((response, token) => {
      response.writeHead(200, { "content-length": token.length }).write(token.slice(0, 50));
      setImmediate(() => response.destroy());
    }),
  ).toBe("unknown");
  let sent = 0;
  const endless = await statusWith((response) => {
    const more = (): void => {
      while (!response.destroyed && response.write("A".repeat(65_536))) sent += 65_536;
    };
    response.on("drain", more);
    more();
  });
  expect(endless).toBe("unknown");
  expect(sent).toBeLessThan(64 * 1_048_576);
  expect(
    await statusWith((response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(2 ** 26, "A"))),
    ),
  ).toBe("unknown");
  expect(await reader()({ uri: "https://127.0.0.1:1/", idx: 0 }, root)).toBe("unknown");
});

test("a server that never answers is given up on", async () => {
  vi.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort(new Error("time is over")));
  try {
    expect(await statusWith(() => {})).toBe("unknown");
  } finally {
    vi.restoreAllMocks();
  }
});

test("a list is asked for once within its ttl, by however many; then again, and what was revoked shows", async () => {
  const { path, uri } = place();
  let revoked: number[] = [];
  answers.set(path, async (response) =>
    response.end(await statusList({ uri, size: 16, revoked, ttl: 30, now: now() }, issuer)),
  );
  const read = reader();
  const ask = (idx = 3): Promise<Status> => read({ uri, idx }, root);
  expect(await Promise.all([ask(), ask(), ask(4), ask(99)])).toEqual(["valid", "valid", "valid", "unknown"]);
  expect(timesAsked(path)).toBe(1);
  revoked = [3];
  vi.useFakeTimers({ now: Date.now() + 29_000, toFake: ["Date"] });
  expect(await ask()).toBe("valid");
  vi.setSystemTime(Date.now() + 2_000);
  expect(await ask()).toBe("revoked");
  expect(timesAsked(path)).toBe(2);
  // The server is gone: the list is good for its ttl, and then nothing is.
  answers.set(path, (response) => response.destroy());
  expect(await ask(4)).toBe("valid");
  vi.setSystemTime(Date.now() + 31_000);
  expect([await ask(4), await ask(3)]).toEqual(["unknown", "unknown"]);
  // Not asked again at once.
  expect(timesAsked(path)).toBe(3);
  answers.set(path, async (response) =>
    response.end(await statusList({ uri, size: 16, revoked, now: now() }, issuer)),
  );
  vi.setSystemTime(Date.now() + 1_001);
  expect([await ask(4), await ask(3)]).toEqual(["valid", "revoked"]);
});

test("whatever its ttl says, a list is not kept beyond its exp, nor for more than five minutes", async () => {
  for (const [expiresIn, passed] of [
    ["1m", 61],
    ["1d", 301],
  ] as const) {
    const { path, uri } = place();
    answers.set(path, async (response) =>
      response.end(
        await statusList({ uri, size: 16, revoked: [], ttl: "1h", expiresIn, now: now() }, issuer),
      ),
    );
    const read = reader();
    vi.useFakeTimers({ toFake: ["Date"] });
    expect(await read({ uri, idx: 0 }, root)).toBe("valid");
    answers.set(path, (response) => response.writeHead(500).end());
    vi.setSystemTime(Date.now() + passed * 1000);
    expect(await read({ uri, idx: 0 }, root)).toBe("unknown");
    vi.useRealTimers();
  }
});

test("a handler serves lists and the list of them, to caches too", async () => {
  const [one, two, all] = [place(), place(), place()];
  let revoked: readonly number[] = [1];
  let asked = 0;
  const handler = statusListHandler(
    {
      lists: [
        { uri: one.uri, size: 64, revoked: async () => (asked++, revoked) },
        { uri: two.uri, size: 8, revoked: () => Promise.reject(new Error("the database is gone")) },
      ],
      aggregation: all.uri,
    },
    issuer,
  );
  const get = (uri: string, init: RequestInit = {}): Promise<Response> => handler(new Request(uri, init));
  for (const { path, uri } of [one, two, all])
    answers.set(path, async (response) => {
      const answer = await get(uri);
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    });

  const served = await fetch(one.uri);
  expect(Object.fromEntries(served.headers)).toMatchObject({
    "content-type": "application/statuslist+jwt",
    "cache-control": "public, max-age=5",
    "access-control-allow-origin": "*",
  });
  const read = reader();
  expect(await read({ uri: one.uri, idx: 1 }, root)).toBe("revoked");
  expect(await read({ uri: one.uri, idx: 2 }, root)).toBe("valid");
  expect(asked).toBe(1);
  expect(await (await fetch(all.uri)).json()).toEqual({ status_lists: [one.uri, two.uri] });
  expect((await get(all.uri)).headers.get("content-type")).toBe("application/json");
  // What is down says so, and is not believed.
  expect((await fetch(two.uri)).status).toBe(503);
  expect(await read({ uri: two.uri, idx: 1 }, root)).toBe("unknown");

  for (const [init, status] of [
    [{ method: "POST" }, 405],
    [{ method: "HEAD" }, 200],
    [{ headers: { accept: "text/html" } }, 406],
    [{ headers: { accept: "text/html, application/statuslist+jwt;q=0.9" } }, 200],
    [{ headers: { accept: "*/*" } }, 200],
  ] as const)
    expect([init, (await get(one.uri, init)).status]).toEqual([init, status]);
  expect((await get(`${one.uri}?time=1`)).status).toBe(501);
  expect((await get(`${server.origin}/nothing`)).status).toBe(404);

  // Signed again a second later.
  vi.spyOn(performance, "now").mockReturnValue(performance.now() + 1_000);
  revoked = [2];
  expect(await reader()({ uri: one.uri, idx: 2 }, root)).toBe("revoked");
  vi.restoreAllMocks();
});

test("two lists at one path, one that only a query tells apart, and one that nobody could read are not served", () => {
  const list = (uri: string) => ({ uri, size: 8, revoked: () => [] });
  for (const lists of [
    [list("https://a.test/1"), list("https://b.test/1")],
    [list("https://a.test/?list=1")],
    [list("/1")],
    [list("http://a.test/1")],
    [{ ...list("https://a.test/1"), size: 9 }],
  ])
    expect(() => statusListHandler({ lists }, issuer)).toThrow(
      expect.objectContaining({ code: "malformed_request" }) as Error,
    );
});
