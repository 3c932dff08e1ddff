// Polled signals: a real transmitter behind HTTPS that keeps what was not acknowledged (RFC 8936).
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Cut, readCut } from "@behest/provenance";
import { generatePrivateJwk, publicKey, signerOf } from "@behest/jws";
import { afterEach, expect, test, vi } from "vitest";
import { type LocalServer, localServer } from "../../../delegation/test/https.ts";
import { IDP, RECEIVER, newKey, signal } from "../../test/http/transmitter.ts";
import { until } from "../../test/until.ts";
import { type PollOptions, type SignalReceiverOptions, signalReceiver } from "./index.ts";

const revoker = signerOf(await generatePrivateJwk());
const [key, other] = [await newKey("RS256"), await newKey("RS256")];
afterEach(() => vi.restoreAllMocks());

interface Asked {
  readonly maxEvents: number;
  readonly returnImmediately: boolean;
  readonly ack: readonly string[];
  readonly setErrs: { readonly [jti: string]: { readonly err: string; readonly description: string } };
}

class Stream implements AsyncDisposable {
  readonly kept = new Map<string, string>();
  readonly refused = new Map<string, string>();
  readonly requests: Asked[] = [];
  /** When each came, ms. */
  readonly times: number[] = [];
  readonly authorized: (string | undefined)[] = [];
  /** Told when a request waits for something to come. */
  held: (() => void) | undefined;
  /** In place of an answer. */
  instead: ((response: ServerResponse) => unknown) | undefined;
  #server!: LocalServer;
  #waiting: (() => void)[] = [];

  static async open(): Promise<Stream> {
    const stream = new Stream();
    stream.#server = await localServer((_, response, request) => void stream.#answer(request, response));
    return stream;
  }

  get url(): string {
    return `${this.#server.origin}/poll`;
  }

  add(jti: string, token: string): void {
    this.kept.set(jti, token);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.times.push(performance.now());
    let body = "";
    for await (const part of request) body += part;
    const asked = JSON.parse(body) as Asked;
    this.authorized.push(request.headers.authorization);
    this.requests.push(asked);
    if (this.instead) return void this.instead(response);
    for (const jti of asked.ack) this.kept.delete(jti);
    for (const [jti, { err }] of Object.entries(asked.setErrs)) {
      this.refused.set(jti, err);
      this.kept.delete(jti);
    }
    if (this.kept.size === 0 && !asked.returnImmediately)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        this.held?.();
      });
    const sets = Object.fromEntries([...this.kept].slice(0, asked.maxEvents));
    const moreAvailable = this.kept.size > asked.maxEvents;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ sets, ...(moreAvailable && { moreAvailable }) }));
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}

interface Polling extends AsyncDisposable {
  readonly cuts: Cut[];
  /** Ends it, and waits for its end. */
  stop(): Promise<void>;
}
function polling(
  stream: { readonly url: string },
  change: Partial<PollOptions> = {},
  receiver: Partial<SignalReceiverOptions> = {},
): Polling {
  const cuts: Cut[] = [];
  const ending = new AbortController();
  const { poll } = signalReceiver({
    transmitters: [{ iss: IDP, audience: RECEIVER, speaksFor: [IDP], jwk: key.jwk }],
    revoker,
    submit: async ({ jws }) => void cuts.push(await readCut(jws, publicKey(revoker.jwk))),
    ...receiver,
  });
  const ended = poll({ url: stream.url, signal: ending.signal, ...change });
  const stop = (): Promise<void> => {
    ending.abort();
    return ended;
  };
  return { cuts, stop, [Symbol.asyncDispose]: stop };
}

test("what a transmitter keeps is taken in, acknowledged, and not asked for twice", async () => {
  await using stream = await Stream.open();
  for (let i = 0; i < 45; i++)
    stream.add(
      `s-${i}`,
      await signal(key, { jti: `s-${i}`, sub_id: { format: "iss_sub", iss: IDP, sub: `p-${i}` } }),
    );
  const polled = polling(stream, { authorization: async () => "Bearer t" });
  await until(() => expect([polled.cuts.length, stream.kept.size]).toEqual([45, 0]));
  // What comes while a request waits arrives with it.
  stream.add("late", await signal(key, { jti: "late" }));
  await until(() => expect([polled.cuts.length, stream.kept.size]).toEqual([46, 0]));
  expect(stream.requests.length).toBeLessThanOrEqual(5);
  expect(stream.requests.every(({ returnImmediately }) => !returnImmediately)).toBe(true);
  expect(new Set(stream.authorized)).toEqual(new Set(["Bearer t"]));
  expect(new Set(polled.cuts.map(({ target }) => JSON.stringify(target))).size).toBe(46);
  await polled.stop();
});

test("what is refused is told, by its id, and the rest goes on", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using stream = await Stream.open();
  stream.add("forged", await signal(other, { jti: "forged" }));
  stream.add("foreign", await signal(key, { jti: "foreign", aud: "https://other.test" }));
  stream.add(
    "overreach",
    await signal(key, { jti: "overreach", sub_id: { format: "iss_sub", iss: "https://hr.test", sub: "a" } }),
  );
  stream.add("renamed", await signal(key, { jti: "another" }));
  stream.add("__proto__", "no token");
  stream.kept.set("number", 7 as unknown as string);
  stream.add("good", await signal(key, { jti: "good" }));
  await using polled = polling(stream);
  await until(() => expect(stream.kept.size).toBe(0));
  expect(Object.fromEntries(stream.refused)).toEqual(
    Object.fromEntries([
      ["forged", "invalid_key"],
      ["foreign", "invalid_audience"],
      ["overreach", "access_denied"],
      ["renamed", "invalid_request"],
      ["__proto__", "invalid_request"],
      ["number", "invalid_request"],
    ]),
  );
  expect(polled.cuts.map(({ target }) => target)).toContainEqual({ principal: "alice", issuer: IDP });
});

test("what could not be taken in is neither acknowledged nor refused, and comes again", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using stream = await Stream.open();
  stream.add("a", await signal(key, { jti: "a" }));
  stream.add("b", await signal(key, { jti: "b" }));
  let [failing, taken] = [1, 0];
  const submit = async (): Promise<void> => {
    if (failing-- > 0) throw new Error("the feed is down");
    taken++;
  };
  await using _ = polling(stream, {}, { submit });
  await until(() => expect([taken, stream.kept.size]).toEqual([2, 0]));
  expect(stream.refused.size).toBe(0);
});

test("many that cannot be taken in do not hold up what stands behind them", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using stream = await Stream.open();
  const about = (jti: string, sub: string): Promise<string> =>
    signal(key, { jti, sub_id: { format: "iss_sub", iss: IDP, sub } });
  for (let i = 0; i < 45; i++) stream.add(`held-${i}`, await about(`held-${i}`, "nobody"));
  stream.add("behind", await about("behind", "alice"));
  const cut: string[] = [];
  const submit = async ({ jws }: { readonly jws: string }): Promise<void> => {
    const { target } = await readCut(jws, publicKey(revoker.jwk));
    if (!("principal" in target) || target.principal === "nobody") throw new Error("not this one");
    cut.push(target.principal);
  };
  await using _ = polling(stream, {}, { submit });
  await until(() => expect(cut).toEqual(["alice"]));
  // Nothing of it was given up.
  await until(() => expect([stream.refused.size, stream.kept.size]).toEqual([0, 45]));
  expect(Math.max(...stream.requests.map(({ maxEvents }) => maxEvents))).toBeLessThanOrEqual(200);
});

test("a transmitter that holds a request back for long is there: it is not warned of, and asked again at once", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const { timeout } = AbortSignal;
  await using stream = await Stream.open();
  // As if the time of a request were over as soon as it is held back.
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    if (ms <= 60_000) return timeout.call(AbortSignal, ms);
    const late = new AbortController();
    stream.held = () => late.abort();
    return late.signal;
  });
  await using polled = polling(stream);
  await until(() => expect(stream.requests.length).toBeGreaterThan(4));
  expect(stream.requests.slice(0, 4).map(({ returnImmediately }) => returnImmediately)).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect(warned).not.toHaveBeenCalled();
  stream.add("a", await signal(key, { jti: "a" }));
  await until(() => expect(polled.cuts).toHaveLength(1));
});

test("one that holds requests back because it is gone is warned of", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const { timeout } = AbortSignal;
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) =>
    timeout.call(AbortSignal, ms > 4_000 ? 50 : ms),
  );
  await using stream = await Stream.open();
  stream.instead = () => {};
  await using _ = polling(stream);
  await until(() => expect(warned).toHaveBeenCalledTimes(1));
});

test("a transmitter that is down is asked less and less often, and one that answers nonsense too", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using stream = await Stream.open();
  const answers: readonly ((response: ServerResponse) => unknown)[] = [
    (response) => response.writeHead(503).end(),
    (response) => response.destroy(),
  ];
  stream.instead = (response) => answers[stream.requests.length % 2]!(response);
  stream.add("a", await signal(key, { jti: "a" }));
  await using polled = polling(stream);
  await until(() => expect(stream.requests.length).toBe(3));
  // Not before the second pause is over, which is two seconds; as late as it likes.
  expect(stream.times[2]! - stream.times[1]!).toBeGreaterThan(1_900);
  expect(warned).toHaveBeenCalledTimes(1);
  stream.instead = undefined;
  await until(() => expect(polled.cuts).toHaveLength(1));
});

test.each<[string, (response: ServerResponse) => unknown]>([
  ["no JSON", (response) => response.end("<html>")],
  ["no sets", (response) => response.end("{}")],
  ["sets that are a list", (response) => response.end('{"sets":["a"]}')],
  ["more than is read", (response) => response.end(`{"sets":{"a":"${"x".repeat(3_000_000)}"}}`)],
  ["a redirect", (response) => response.writeHead(307, { location: "/elsewhere" }).end()],
  ["another code", (response) => response.writeHead(202).end('{"sets":{}}')],
])("an answer with %s is not believed, and asked for again later", async (_, answer) => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using stream = await Stream.open();
  stream.instead = answer;
  await using polled = polling(stream);
  await until(() => expect(stream.requests.length).toBeGreaterThan(1));
  expect(polled.cuts).toEqual([]);
  expect(warned).toHaveBeenCalledWith(expect.stringContaining("could not be polled"), {
    code: "BEHEST_SIGNALS",
  });
});

test("a transmitter that sends the same again and again, or nothing at once, is not asked in a loop", async () => {
  for (const sets of [{}, { a: await signal(key, { jti: "a" }) }]) {
    await using stream = await Stream.open();
    stream.instead = (response) => response.end(JSON.stringify({ sets, moreAvailable: true }));
    await using polled = polling(stream);
    await until(() => expect(stream.requests.length).toBeGreaterThan(1));
    const [from, before] = [performance.now(), stream.requests.length];
    await until(() => expect(stream.requests.length).toBeGreaterThan(before));
    expect(stream.requests.length).toBeLessThan(before + 2 + (performance.now() - from) / 500);
    expect(polled.cuts).toHaveLength(Object.keys(sets).length);
  }
});

test("who stops acknowledges first what was taken in", async () => {
  await using stream = await Stream.open();
  stream.add("a", await signal(key, { jti: "a" }));
  const ending = new AbortController();
  const polled = polling(
    stream,
    { signal: ending.signal },
    {
      // It is stopped in mid-task.
      submit: async () => ending.abort(),
    },
  );
  await polled.stop();
  expect(stream.requests.at(-1)).toMatchObject({ maxEvents: 0, returnImmediately: true, ack: ["a"] });
  expect(stream.kept.size).toBe(0);
});

test("a transmitter is polled over TLS only", async () => {
  const { signal: never } = new AbortController();
  const { poll } = signalReceiver({ transmitters: [], revoker, submit: async () => {} });
  for (const url of ["http://idp.test/poll", "file:///etc/passwd", "nowhere"])
    await expect(poll({ url, signal: never })).rejects.toMatchObject({ code: "config_invalid" });
});
