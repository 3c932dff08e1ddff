import { postgresFeed } from "@behest/postgres";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { postgresServer } from "../../postgres/test/server.ts";
import { Workplace } from "../test/workplace.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

let place: Workplace;
beforeEach(() => {
  place = Workplace.paying("alice", "bob");
});
afterEach(() => place[Symbol.dispose]());

test("what a person revokes stops what acts on that behalf, in every process, and nothing else", () => {
  expect(place.must("revocations")).toBe("Nothing is revoked.\n");
  expect(place.pay("alice")).toBe("paid");
  const said = place.must("revoke", "--principal", "alice", "--reason", "left");
  expect(said).toMatch(
    /^revoked; it stops 1 of the delegations that the log has met\.\nWhat is delegated from /,
  );
  expect(place.pay("alice")).toBe("revoked");
  expect(place.pay("bob")).toBe("paid");
  expect(place.must("revocations")).toMatch(/principal alice +\S.* 1 .*left\n/);
  expect(place.json("revocations")).toMatchObject([
    { target: { principal: "alice" }, reason: "left", stops: 1 },
  ]);
  expect(place.must("verify")).toMatch(/revocations +1\n/);
});

test("one target at a time, with a reason, by a revoker", () => {
  const refused = (...args: string[]): string => place.refusal(place.behest("revoke", ...args));
  expect(refused("--principal", "alice")).toBe("usage 2");
  expect(refused("--reason", "r")).toBe("usage 2");
  expect(refused("--principal", "alice", "--agent", "mailer", "--reason", "r")).toBe("usage 2");
  expect(refused("--agent", "mailer", "--issuer", "i", "--reason", "r")).toBe("usage 2");
  const other = place.behest("revoke", "--agent", "mailer", "--reason", "r", "--key", ".behest/agent.jwk");
  expect(other.status).toBe(1);
  expect(other.stderr).toContain("revocation_refused: ");
  expect(place.must("revocations")).toBe("Nothing is revoked.\n");
});

test.runIf(server)("with BEHEST_FEED it is revoked on all machines that share the feed", async () => {
  const url = await server!.url();
  const shared = (feed: string, ...args: string[]) =>
    place.behestWith({ env: { BEHEST_FEED: feed } }, ...args);
  expect(shared(url, "revoke", "--principal", "alice", "--reason", "left")).toMatchObject({ status: 0 });
  expect(shared(url, "revocations").stdout).toMatch(/principal alice/);
  const feed = postgresFeed(url);
  expect((await feed.read(0)).rows).toHaveLength(1);
  await feed.close();
  expect(place.pay("alice")).toBe("revoked");
  // What only this store knows, a feed that comes later has to be told.
  place.must("revoke", "--agent", "mailer", "--reason", "spam");
  const later = await server!.url();
  expect(place.refusal(shared(later, "revocations"))).toBe("store_mismatch 1");
  const restored = shared(later, "revocations", "--restore");
  expect(restored.stdout).toMatch(/agent mailer/);
  expect(shared(later, "revocations").stdout).toBe(restored.stdout);
  expect(place.refusal(place.behest("revocations", "--restore"))).toBe("usage 2");
  const refused = shared("postgres://u:secret-word@host:port/base", "revocations");
  expect(place.refusal(refused)).toBe("config_invalid 1");
  expect(refused.stderr).not.toContain("secret-word");
});
