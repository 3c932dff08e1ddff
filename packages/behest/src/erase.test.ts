import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

let place: Workplace;
beforeEach(() => {
  place = Workplace.paying("alice", "bob");
  for (const person of ["alice", "bob"]) expect(place.pay(person)).toBe("paid");
});
afterEach(() => place[Symbol.dispose]());

const refused = (...args: string[]): string => place.refusal(place.behest(...args));
const ERASE = ["erase", "--principal", "alice", "--reason", "asked by letter"];

/** Every byte that the store's folder holds. */
function bytes(): string {
  const folder = place.path(".behest");
  const files = readdirSync(folder).filter((name) => name.startsWith("log.db"));
  return files.map((name) => readFileSync(join(folder, name), "latin1")).join("\n");
}

test("what was kept of a person is erased, every proof still verifies, and the report says so", () => {
  expect(refused(...ERASE)).toBe("retained 1");
  const said = place.must(...ERASE, "--despite-retention");
  expect(said).toMatch(/^erased: what was kept\. Entry #\d+ says so, and that it was before its time\.\n/);
  expect(said).not.toContain("still there");
  expect(bytes()).not.toMatch(/alice|asked by letter/);
  const verified = place.must("verify");
  expect(verified).toMatch(/principals +2, 1 erased\n/);
  expect(verified).toMatch(/ erased +delegation +content_erased /);
  expect(verified).toContain("Verified.");
  expect(place.json("verify")).toMatchObject({ ok: true, erased: 1, counts: { erasure: 1 } });
  expect(place.must("records")).toMatch(/\(erased\)[\s\S]*bob/);
  expect([place.pay("alice"), place.pay("bob")]).toEqual(["principal_erased", "paid"]);
  expect(refused(...ERASE, "--despite-retention")).toBe("principal_unknown 1");
  place.must("evidence", "export", "--out", "all.json");
  expect(place.must("evidence", "verify", "all.json")).toContain("erased");
});

test("under a hold nothing is erased, whatever is said, until it is released", () => {
  expect(place.must("hold")).toBe("Nothing is on hold.\n");
  const { index } = place.json("hold", "place", "--principal", "alice", "--reason", "case 12/26") as {
    index: number;
  };
  expect(place.must("hold", "list")).toMatch(new RegExp(`#${index} .* alice \\(`));
  expect(refused(...ERASE, "--despite-retention")).toBe("on_hold 1");
  expect(place.must("hold", "place", "--all", "--reason", "audit")).toContain("everybody");
  place.must("hold", "release", String(index), "--reason", "closed");
  expect(refused(...ERASE, "--despite-retention")).toBe("on_hold 1");
  const [all] = place.json("hold") as [{ index: number }];
  place.must("hold", "release", `#${all.index}`, "--reason", "closed");
  expect(refused("hold", "release", String(all.index), "--reason", "closed")).toBe("hold_missing 1");
  place.must(...ERASE, "--despite-retention");
  expect(place.json("verify")).toMatchObject({ ok: true, counts: { erasure: 5 } });
});

test("a revocation that names the person stays until its time, and it has to be said so", () => {
  place.must("revoke", "--principal", "alice", "--reason", "left");
  expect(refused(...ERASE, "--despite-retention")).toBe("cut_in_force 1");
  const said = place.must(...ERASE, "--despite-retention", "--keep-cuts");
  expect(said).toMatch(/still there: a revocation that names the person, until \d{4}-/);
  expect(place.must("revocations")).toContain("alice");
});

test("whom, why and which are to be said", () => {
  expect(refused("erase", "--reason", "r")).toBe("usage 2");
  expect(refused("erase", "--principal", "alice")).toBe("usage 2");
  expect(refused("hold", "place", "--reason", "r")).toBe("usage 2");
  expect(refused("hold", "place", "--all", "--principal", "alice", "--reason", "r")).toBe("usage 2");
  expect(refused("hold", "release", "x", "--reason", "r")).toBe("usage 2");
  expect(refused("erase", "--principal", "nobody", "--reason", "r")).toBe("principal_unknown 1");
  expect(place.must("trust")).toMatch(/keeps records +184 days at least\n/);
});

test("who looks is recorded before anything is shown, where that is asked for", () => {
  expect(place.must("accesses")).toContain("Nobody");
  expect(place.must("records", "--principal", "alice", "--as", "dora")).toContain("alice");
  place.must("evidence", "export", "--out", "all.json", "--as", "emil");
  place.must("records");
  expect(place.json("accesses")).toMatchObject([
    { by: "dora", what: "records", principals: ["alice"] },
    { by: "emil", what: "evidence" },
  ]);
  expect(place.must("accesses")).toMatch(/dora +records +alice\n/);
  expect(place.json("verify")).toMatchObject({ ok: true, counts: { access: 2 } });
  expect(refused("records", "--as", "dora", "--store", ".behest/log.db")).toBe("usage 2");
});
