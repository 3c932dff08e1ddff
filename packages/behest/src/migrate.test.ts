import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { postgresServer, sql } from "../../postgres/test/server.ts";
import { Workplace } from "../test/workplace.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

const PAYER = join(import.meta.dirname, "../test/payer.ts");
let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.must("init");
});
afterEach(() => place[Symbol.dispose]());

function delegate(): void {
  const grant = ["--task", "Pay", "--tool", "pay(*)", "--principal", "alice", "--out", "alice.json"];
  place.must("delegate", ...grant);
}

test.runIf(server)("a folder's store moves to PostgreSQL, and the commands go on there", async () => {
  delegate();
  place.node(PAYER, "alice.json");
  const url = await server!.url();
  const at = (name: string, ...args: string[]) => place.behestWith({ env: { [name]: url } }, ...args);
  const shown = JSON.parse(place.must("verify", "--json")) as { entries: number; head: string };
  const moved = at("TARGET", "migrate", "--to-env", "TARGET", "--json");
  expect(moved).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(moved.stdout)).toMatchObject({
    entries: shown.entries,
    head: expect.stringMatching(/^[0-9]+:/),
  });
  expect(place.refusal(at("BEHEST_STORE", "migrate"))).toBe("store_foreign 1");

  expect(at("BEHEST_STORE", "records", "--json").stdout).toBe(place.must("records", "--json"));
  // Another tenant's log is not an empty one.
  const schema = url.slice(url.lastIndexOf("%3D") + 3);
  await sql(url, "CREATE ROLE acme LOGIN PASSWORD 'password'");
  await sql(url, `GRANT USAGE ON SCHEMA ${schema} TO acme`);
  await sql(url, `GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO acme`);
  const acme = url.replace("postgres:password@", "acme:password@");
  const elsewhere = { BEHEST_STORE: acme, BEHEST_TENANT: "acme" };
  expect(place.refusal(place.behestWith({ env: elsewhere }, "records"))).toBe("store_missing 1");
  expect(JSON.parse(at("BEHEST_STORE", "verify", "--json").stdout)).toMatchObject({
    ok: true,
    head: shown.head,
  });
  expect(at("BEHEST_STORE", "revoke", "--principal", "alice", "--reason", "left")).toMatchObject({
    status: 0,
  });
  expect(at("BEHEST_STORE", "revocations").stdout).toMatch(/principal alice/);
  expect(at("BEHEST_STORE", "verify").stdout).toMatch(/revocations +1\n/);
  // The file stays as it was.
  expect(place.must("revocations")).toBe("Nothing is revoked.\n");
});

test.runIf(server)(
  "keys are withdrawn by the log that all machines share, not by a file that was left behind",
  async () => {
    delegate();
    place.node(PAYER, "alice.json");
    const env = { BEHEST_STORE: await server!.url() };
    const at = (...args: string[]) => place.behestWith({ env }, ...args);
    expect(at("migrate")).toMatchObject({ status: 0 });
    const keys = place.json("keys") as { role: string; thumbprint: string }[];
    const withdraw = (role: string, index: number) =>
      at(
        "trust",
        "revoke-key",
        keys.find((key) => key.role === role)!.thumbprint,
        "--after-index",
        `${index}`,
      );
    // Each start adds an entry, there and not in the file.
    const grown = (): number => {
      expect(at("hold", "list")).toMatchObject({ status: 0 });
      return (JSON.parse(at("verify", "--json").stdout) as { entries: number }).entries;
    };
    const size = grown();
    expect(withdraw("approver", size - 1)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^version 1 /),
    });
    expect(withdraw("revoker", grown() - 1)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^version 2 /),
    });
    expect(grown()).toBe(size + 2);
    rmSync(place.path(".behest/log.db"));
    expect(place.refusal(withdraw("issuer", 99_999))).toBe("entry_missing 1");
  },
);

test("without a URL, or a file, nothing moves; and no message has the URL", () => {
  expect(place.refusal(place.behest("migrate"))).toBe("usage 2");
  const env = { BEHEST_STORE: "postgres://u:secret-word@127.0.0.1:1/base" };
  const missing = place.behestWith({ env }, "migrate", "--from", "none.db");
  expect(place.refusal(missing)).toBe("file_missing 1");
  delegate();
  for (const args of [["migrate"], ["records"], ["verify"]]) {
    const failed = place.behestWith({ env }, ...args);
    expect(failed.status).toBe(1);
    expect(failed.stderr).not.toMatch(/secret-word|127\.0\.0\.1/);
  }
});
