import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

test("persons stop, look and erase where the manifest lists which policies decide", () => {
  using place = Workplace.paying("alice");
  const digest = (place.json("policy", "check", "default") as { digest: string }).digest;
  const { manifest } = place.json("trust") as { manifest: object };
  writeFileSync(place.path("trust.json"), JSON.stringify({ ...manifest, policies: [digest] }));
  place.must("trust", "sign", "trust.json");
  expect(place.pay("alice")).toBe("paid");
  place.must("revoke", "--principal", "alice", "--reason", "left");
  expect(place.pay("alice")).toBe("revoked");
  place.must("hold", "list");
  place.must("records", "--as", "dora");
  expect(place.must("accesses")).toContain("dora");
  const whom = ["--principal", "alice", "--reason", "asked", "--despite-retention", "--keep-cuts"];
  place.must("erase", ...whom);
  expect(place.json("verify")).toMatchObject({ ok: true });
});
