import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

const BUYER = join(import.meta.dirname, "../test/buyer.ts");
const POLICIES = join(import.meta.dirname, "../test/frozen");
let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.must("init");
  const pay = ["--tool", "pay(*)", "--approval", "pay=approvers", "--principal", "alice"];
  place.must("delegate", "--task", "Pay", ...pay, "--out", "me.json");
});
afterEach(() => place[Symbol.dispose]());

/** Pays these amounts, a call each, in the run "invoices"; what came of each. */
const pay = (...amounts: number[]): string =>
  place.script(BUYER, "me.json", "default", ...amounts.map(String));
/** The same, under policies that forbid every payment. */
const payFrozen = (amount: number): string => place.script(BUYER, "me.json", POLICIES, String(amount));

/** The commands of docs/policy.md, by how they begin. */
const guide = readFileSync(join(import.meta.dirname, "../../../docs/policy.md"), "utf8");
function documented(beginning: string): string[] {
  const line = guide.split("\n").find((one) => one.startsWith(`behest approve ${beginning}`))!;
  const words = line.replace(/ +#.*$/, "").match(/'[^']*'|\S+/g)!;
  return words.slice(1).map((word) => word.replaceAll("'", ""));
}

test("all that waits in a run is shown whole and approved by one signature", () => {
  expect(pay(10, 20, 30)).toBe("approval_needed approval_needed approval_needed");
  expect(place.refusal(place.behest("approve", "--run", "other", "--yes"))).toBe("approval_missing 1");
  const shown = place.must(...documented("--run invoices"), "--yes");
  for (const amount of [10, 20, 30]) expect(shown).toContain(`{"amount":${amount},"currency":"EUR"}`);
  expect(pay(10, 20, 30)).toBe("done done done");
  expect(place.must("verify")).toMatch(/approvals +1\n/);
  expect(place.json("approve", "--stats")).toMatchObject({ asked: 3, approved: 3 });
});

test("several are named by their ids", () => {
  pay(10, 20, 30);
  const ids = (place.json("approve") as { id: string }[]).map(({ id }) => id.slice(0, 8));
  place.must("approve", "--deny", "--yes", "--", ids[0]!, ids[2]!);
  expect(pay(10, 20, 30)).toBe("approval_denied approval_needed approval_denied");
});

test("a mandate is shown whole, signed, used up, listed, and ended by a denial", () => {
  expect(pay(10)).toBe("approval_needed");
  expect(place.must("approve", "--mandates")).toBe("Nothing was signed ahead.\n");
  const mandate = documented("--mandate me.json");
  const shown = place.must(...mandate, "--yes");
  expect(shown).toContain("pay(amount=..50, currency=EUR, *)");
  expect(shown).toContain('"constraint_type":"range"');
  expect(shown).toMatch(/calls +10\n/);
  expect(pay(10, 20, 60)).toBe("done done approval_needed");
  const { mandates } = place.json("approve", "--mandates") as { mandates: { id: string }[] };
  expect(mandates).toMatchObject([{ left: { count: 8, amount: { EUR: "170" } } }]);
  expect(place.must("approve", "--mandates")).toMatch(
    /mandate +alice +agent +pay\(.*8 calls, 170 EUR +1 of approvers/,
  );
  place.must("approve", "--deny", "--yes", "--", mandates[0]!.id.slice(0, 8));
  expect(pay(30)).toBe("approval_needed");
  expect(place.must("verify")).toContain("Verified.");
});

test("a mandate says what it is for", () => {
  pay(10);
  const mandate = ["approve", "--mandate", "me.json", "--group", "approvers", "--yes"];
  for (const lacking of [
    [],
    ["--tool", "pay(*)"],
    ["--tool", "pay(*)", "--limit", "5 EUR"],
    ["--limit", "5 calls"],
  ])
    expect(place.refusal(place.behest(...mandate, ...lacking))).toBe("usage 2");
  const other = [...mandate, "--tool", "pay(*)", "--limit", "5 calls", "--key", ".behest/agent.jwk"];
  expect(place.refusal(place.behest(...other))).toBe("approval_invalid 1");
});

test("break-glass lifts what policies forbid, loudly, and stands in every record that it touched", () => {
  expect(existsSync(POLICIES)).toBe(true);
  expect(payFrozen(10)).toBe("policy_denied");
  expect(place.refusal(place.behest("approve", "--break-glass", "me.json", "--yes"))).toBe("usage 2");
  const long = place.behest(
    "approve",
    "--break-glass",
    "me.json",
    "--reason",
    "x",
    "--expires",
    "2h",
    "--yes",
  );
  expect(place.refusal(long)).toBe("approval_invalid 1");
  const { status, stdout, stderr } = place.behest(...documented("--break-glass me.json"), "--yes");
  expect(status).toBe(0);
  expect(stdout).toMatch(/reason +the gateway is down\n/);
  expect(stderr).toMatch(/^warning: BREAK-GLASS: override /);
  expect(payFrozen(20)).toBe("done");
  expect(place.must("records")).toMatch(/pay +permit \(break-glass\) +break_glass +done/);
  const verified = place.must("verify");
  expect(verified).toContain("1 actions went ahead under break-glass.");
  expect(verified).toContain("Verified.");
  expect(place.json("verify")).toMatchObject({ overridden: 1 });
  const { overrides } = place.json("approve", "--mandates") as { overrides: { id: string }[] };
  place.must("approve", "--deny", "--yes", "--", overrides[0]!.id);
  expect(payFrozen(30)).toBe("policy_denied");
});
