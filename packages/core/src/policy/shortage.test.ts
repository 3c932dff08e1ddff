import { generatePrivateJwk, signerOf } from "@behest/jws";
import type { Approver } from "@behest/provenance";
import { expect, test, vi } from "vitest";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { testBehest } from "../testing.ts";
import { loadPolicies } from "./policies.ts";
import { shortages } from "./shortage.ts";

const { jwk } = signerOf(await generatePrivateJwk());
const enrolled = (...roles: Partial<Approver>[]): { approvers: Approver[] } => ({
  approvers: roles.map((role) => ({ group: "finance", person: "a", jwk, ...role })),
});
const RULES = `permit(principal, action, resource);
@id("one") @ask("group:finance") forbid(principal, action, resource) when { context.depth == 1 };
@id("two") @ask("group:finance", "2") forbid(principal, action, resource) when { context.depth == 2 };
@id("three") @ask("group:finance", "3") forbid(principal, action, resource) when { context.depth == 3 };
`;

test("persons count, not keys, and only those who are enrolled now", async () => {
  using folder = new PolicyFolder({ "a.cedar": RULES });
  const { rules } = await loadPolicies(folder.path);
  const short = (need: number, count: number, ...ids: string[]) => [
    { group: "finance", need, enrolled: count, rules: ids.map((id) => `a.cedar#${id}`) },
  ];
  expect(shortages(rules, enrolled())).toEqual(short(3, 0, "one", "two", "three"));
  expect(shortages(rules, enrolled({ group: "legal" }))).toEqual(short(3, 0, "one", "two", "three"));
  expect(shortages(rules, enrolled({}, {}))).toEqual(short(3, 1, "two", "three"));
  expect(shortages(rules, enrolled({}, { person: "b" }))).toEqual(short(3, 2, "three"));
  expect(shortages(rules, enrolled({}, { person: "b", until: 9 }))).toEqual(short(3, 1, "two", "three"));
  expect(shortages(rules, enrolled({}, { person: "b" }, { person: "c" }))).toEqual([]);
});

test("at start it is warned of what nobody could ever approve, once a group, and of nothing else", async () => {
  using folder = new PolicyFolder({
    "a.cedar": RULES.replace('"group:finance", "2"', '"group:board"').replace('"3"', '"4"'),
  });
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using behest = await testBehest({ policy: folder.path, groups: ["finance"] });
  expect(warned.mock.calls).toEqual([
    [expect.stringContaining('4 of "finance" (a.cedar#three)'), { code: "BEHEST_NO_APPROVER" }],
    [expect.stringContaining('1 of "board" (a.cedar#two)'), { code: "BEHEST_NO_APPROVER" }],
  ]);
  warned.mockClear();
  await using other = await testBehest({ policy: "default", groups: [] });
  await using third = await testBehest();
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
  expect([behest, other, third]).toHaveLength(3);
});
