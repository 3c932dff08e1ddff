import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Hook, hook } from "../../test/hook.ts";
import { until } from "../../test/until.ts";
import type { Alert } from "./alert.ts";
import { Delivery, type Pace } from "./delivery.ts";
import { webhook } from "./webhook.ts";

const PACE: Pace = { waits: [1, 1, 1], timeout: 60_000, most: 5 };
/** For those who do not answer. */
const SHORT: Pace = { ...PACE, timeout: 200 };
let warned: string[] = [];

beforeEach(() => {
  warned = [];
  vi.spyOn(process, "emitWarning").mockImplementation(((text: string) => warned.push(text)) as never);
});
afterEach(() => vi.restoreAllMocks());

function alert(count: number): Alert {
  const at = new Date(0).toISOString();
  return { v: 1, event: "denials", at, log: "l.test/log", code: "tool_not_granted", count };
}

function deliver(to: Pick<Hook, "url">, pace: Pace = PACE): Delivery {
  return new Delivery(webhook(to.url), pace);
}

test("alerts are posted as JSON, in order", async () => {
  await using sink = await hook();
  const delivery = deliver(sink);
  for (const count of [1, 2, 3]) delivery.push(alert(count));
  await sink.came(3);
  await delivery.close();
  expect(sink.alerts).toEqual([alert(1), alert(2), alert(3)]);
  expect(sink.requests[0]).toEqual({ method: "POST", path: "/alerts", type: "application/json" });
  expect(warned).toEqual([]);
});

test("what fails for the moment is tried again, so many times", async () => {
  await using sink = await hook((response, before) => response.writeHead(before < 3 ? 503 : 200).end());
  const delivery = deliver(sink);
  delivery.push(alert(1));
  await sink.came(4);
  await delivery.close();
  expect(sink.alerts.length).toBe(4);
  expect(warned).toEqual([]);
});

test("a redirect is not followed, and neither it nor a refusal is tried again", async () => {
  await using other = await hook();
  for (const status of [301, 302, 307, 308, 400, 401, 404, 410]) {
    await using sink = await hook((response) => response.writeHead(status, { location: other.url }).end());
    const delivery = deliver(sink);
    delivery.push(alert(status));
    await until(() => expect(warned.at(-1)).toContain(`answered with ${status}`));
    await delivery.close();
    expect(sink.requests.length).toBe(1);
  }
  expect(other.requests).toEqual([]);
});

test("a server that never answers, or that never ends its answer, is given up; what follows says how many were lost", async () => {
  await using sink = await hook((response) => {
    if (sink.alerts.at(-1)!.count === 2) response.writeHead(200).write("an answer without an end");
  });
  const delivery = deliver(sink, SHORT);
  delivery.push(alert(1));
  await until(() => expect(warned.length).toBe(1));
  delivery.push(alert(2));
  await until(() => expect(delivery.lost).toBe(0));
  await delivery.close();
  expect(sink.alerts.at(-1)).toEqual({ ...alert(2), lost: 1 });
  expect(warned.length).toBe(1);
});

test("while nobody listens alerts are lost, and the next that is delivered says so; the URL is told nobody", async () => {
  const gone = await hook();
  await gone[Symbol.asyncDispose]();
  let send = webhook(`${gone.url}?token=hidden`);
  const delivery = new Delivery((one, signal) => send(one, signal), PACE);
  for (const count of [1, 2]) {
    delivery.push(alert(count));
    await until(() => expect(delivery.lost).toBe(count));
  }
  expect(warned.length).toBe(1);
  expect(warned[0]).toContain("ECONNREFUSED");
  expect(warned[0]).not.toMatch(/hidden|127/);
  await using sink = await hook();
  send = webhook(sink.url);
  delivery.push(alert(3));
  await sink.came(1);
  await delivery.close();
  expect(sink.alerts).toEqual([{ ...alert(3), lost: 2 }]);
});

test("more than may wait are dropped, not kept", async () => {
  let open: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (open = resolve));
  const got: Alert[] = [];
  const delivery = new Delivery(async (one) => {
    got.push(one);
    await held;
  }, PACE);
  for (let count = 0; count < 1000; count++) delivery.push(alert(count));
  open!();
  await until(() => expect(got.length).toBe(1 + PACE.most));
  await delivery.close();
  expect(got.map(({ count }) => count)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(got.map(({ lost }) => lost ?? 0)).toEqual([0, 1000 - 6, 0, 0, 0, 0]);
});

test("closing does not wait for a server that is silent, nor take anything more", async () => {
  await using sink = await hook(() => {});
  const delivery = deliver(sink, { ...PACE, timeout: 2000 });
  delivery.push(alert(1));
  await sink.came(1);
  await delivery.close();
  delivery.push(alert(2));
  expect(sink.alerts.every(({ count }) => count === 1)).toBe(true);
  expect(delivery.lost).toBe(2);
});

test("closing tries what waits for another attempt once more, and then no more", async () => {
  const tried: Alert[] = [];
  const delivery = new Delivery(
    async (one) => {
      tried.push(one);
      throw new Error("away");
    },
    { ...PACE, waits: [3_600_000, 3_600_000] },
  );
  delivery.push(alert(1));
  await new Promise((resolve) => setImmediate(resolve));
  await delivery.close();
  expect(tried).toEqual([alert(1), alert(1)]);
  expect(delivery.lost).toBe(1);
});

test("a function that throws, rejects or hangs does as little harm", async () => {
  const ways: (() => unknown)[] = [
    () => {
      throw new Error("hidden");
    },
    () => Promise.reject(new Error("hidden")),
    () => new Promise(() => {}),
  ];
  for (const way of ways) {
    const delivery = new Delivery(way, { ...PACE, timeout: 20 });
    delivery.push(alert(1));
    await until(() => expect(delivery.lost).toBe(1));
    await delivery.close();
  }
  expect(warned.join()).not.toContain("hidden");
});

test.each([
  "http://example.com/hook",
  "ftp://localhost/",
  "https://user:secret@example.com/",
  "https://example.com/#x",
  "http://127.0.0.1.example.com/",
  "hook",
])("%s is no address of a webhook, and is not repeated", (url) => {
  let said: unknown;
  try {
    webhook(url);
  } catch (error) {
    said = error;
  }
  expect(said).toMatchObject({ code: "config_invalid" });
  expect(String(said)).not.toContain(url);
});
