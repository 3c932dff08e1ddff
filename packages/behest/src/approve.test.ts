import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

const PAYER = join(import.meta.dirname, "../test/payer.ts");
let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.must("init");
  const pay = ["--tool", "pay(*)", "--approval", "pay=approvers", "--principal", "alice"];
  place.must("delegate", "--task", "Pay", ...pay, "--out", "me.json");
  place.declare({ pay: { effect: "reversible", boundary: "inside" } });
});
afterEach(() => place[Symbol.dispose]());

const pay = (): string => place.script(PAYER, "me.json");
const waiting = (): { id: string; args: object; tool: string }[] => place.json("approve") as never;

test("a person sees what waits, approves it from another process, and the agent goes on in a third", () => {
  expect(place.must("approve")).toBe("Nothing waits.\n");
  expect(pay()).toBe("approval_needed");
  const [one, ...others] = waiting();
  expect(others).toEqual([]);
  expect(one).toMatchObject({ tool: "pay", args: { amount: 40, currency: "EUR" } });
  expect(place.must("approve")).toContain('{"amount":40,"currency":"EUR"}');
  const shown = place.must("approve", "--yes", "--", one!.id.slice(0, 8));
  expect(shown).toContain('{"amount":40,"currency":"EUR"}');
  expect(shown).toContain("approved, for approvers");
  expect(waiting()).toEqual([]);
  expect(pay()).toBe("paid");
  expect(pay()).toBe("paid");
  expect(waiting()).toEqual([]);
  expect(place.json("approve", "--stats")).toMatchObject({
    asked: 1,
    approved: 1,
    rules: [{ rule: "approval", approved: 1, flags: [] }],
  });
  expect(place.must("approve", "--stats")).toMatch(/approval +1 +1 +0 /);
  expect(place.must("verify")).toMatch(/approvals +1\n/);
});

test("what is denied stays denied", () => {
  expect(pay()).toBe("approval_needed");
  place.must("approve", "--deny", "--reason", "wrong account", "--yes", "--", waiting()[0]!.id);
  expect(pay()).toBe("approval_denied");
  expect(place.refusal(place.behest("approve", "x".repeat(43), "--yes"))).toBe("approval_missing 1");
});

test("what is approved can be denied until the agent takes it up", () => {
  expect(pay()).toBe("approval_needed");
  const { id } = waiting()[0]!;
  place.must("approve", "--yes", "--", id);
  expect(place.refusal(place.behest("approve", "--yes", "--", id))).toBe("approval_missing 1");
  expect(place.must("approve", "--deny")).toMatch(/approvers +approved +alice/);
  place.must("approve", "--deny", "--yes", "--", id);
  expect(pay()).toBe("approval_denied");
});

test("nobody is asked where nobody is there, and no other key approves", () => {
  expect(pay()).toBe("approval_needed");
  const { id } = waiting()[0]!;
  expect(place.refusal(place.behest("approve", "--", id))).toBe("usage 2");
  expect(place.refusal(place.behest("approve", "--yes", "--", id.slice(0, 3)))).toBe("usage 2");
  place.must("keys", "new", "--out", "other.jwk");
  expect(place.refusal(place.behest("approve", "--key", "other.jwk", "--yes", "--", id))).toBe(
    "approval_invalid 1",
  );
  const agent = place.behest("approve", "--key", ".behest/agent.jwk", "--yes", "--", id);
  expect(place.refusal(agent)).toBe("approval_invalid 1");
  expect(pay()).toBe("approval_needed");
});

test("what nobody has declared waits for the approver that init has enrolled, and is told how to declare it", () => {
  place.must("delegate", "--task", "Pay", "--tool", "pay(*)", "--out", "own.json");
  place.declare({});
  const pay = (): string => place.script(PAYER, "own.json");
  expect(pay()).toBe("approval_needed");
  const { id } = waiting()[0]!;
  expect(place.must("approve", id, "--yes")).toContain("withProfile(tool, { effect, boundary })");
  expect(pay()).toBe("paid");
  expect(place.json("approve", "--stats")).toMatchObject({ rules: [{ rule: "default.cedar#undeclared" }] });
});
