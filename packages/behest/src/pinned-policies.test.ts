import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

const PAYER = join(import.meta.dirname, "../test/payer.ts");
let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.must("init");
  writeFileSync(
    place.path(".behest/profiles.json"),
    JSON.stringify({ pay: { effect: "reversible", boundary: "inside" } }),
  );
  place.must("delegate", "--task", "Pay", "--tool", "pay(*)", "--principal", "alice", "--out", "me.json");
});
afterEach(() => place[Symbol.dispose]());

test("persons stop, look and erase where the manifest lists which policies decide", () => {
  const digest = (place.json("policy", "check", "default") as { digest: string }).digest;
  const { manifest } = place.json("trust") as { manifest: object };
  writeFileSync(place.path("trust.json"), JSON.stringify({ ...manifest, policies: [digest] }));
  place.must("trust", "sign", "trust.json");
  expect(place.script(PAYER, "me.json")).toBe("paid");
  place.must("revoke", "--principal", "alice", "--reason", "left");
  expect(place.node(PAYER, "me.json").stderr).toContain("revoked");
  place.must("hold", "list");
  place.must("records", "--as", "dora");
  expect(place.must("accesses")).toContain("dora");
  const whom = ["--principal", "alice", "--reason", "asked", "--despite-retention", "--keep-cuts"];
  place.must("erase", ...whom);
  expect(place.json("verify")).toMatchObject({ ok: true });
});
