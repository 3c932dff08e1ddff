import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { signDecision } from "../approval/approval.ts";
import type { BehestError } from "../error.ts";
import { readProfiles } from "./profiles.ts";
import { testBehest } from "../testing.ts";

const folder = mkdtempSync(join(tmpdir(), "behest-profiles-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(text: string | Uint8Array): string {
  const file = join(folder, "profiles.json");
  writeFileSync(file, text);
  return file;
}

const fixed = { effect: "reversible", boundary: "inside" };
const pay = {
  effect: "irreversible",
  boundary: "outside",
  control: ["iban"],
  resource: "iban:{iban}",
  workspace: "acme/{team}",
  amount: { value: "{amount}", currency: "{currency}" },
  undo: "call the bank",
};

test("a file of profiles says what those in code say", () => {
  const file = written(JSON.stringify({ pay, fee: { ...fixed, amount: { value: "{n}", currency: "EUR" } } }));
  const read = readProfiles(file);
  expect(read["pay"]).toMatchObject({
    effect: "irreversible",
    boundary: "outside",
    control: ["iban"],
    undo: "call the bank",
  });
  const args = { iban: "DE1", team: "finance", amount: 12.5, currency: "EUR", n: "3" } as never;
  expect(read["pay"]!.resource!(args)).toBe("iban:DE1");
  expect(read["pay"]!.workspace!(args)).toBe("acme/finance");
  expect(read["pay"]!.amount!(args)).toEqual({ value: "12.5", currency: "EUR" });
  expect(read["fee"]!.amount!(args)).toEqual({ value: "3", currency: "EUR" });
});

test("names that mean something to JavaScript are tools like any other", () => {
  const read = readProfiles(
    written(`{"__proto__": ${JSON.stringify(fixed)}, "toString": ${JSON.stringify(pay)}}`),
  );
  expect(Object.keys(read)).toEqual(["__proto__", "toString"]);
  expect(Object.hasOwn(readProfiles(written("{}")), "toString")).toBe(false);
});

const one = (member: object): string => JSON.stringify({ pay: { ...fixed, ...member } });
test.for<[string, string | Uint8Array, string]>([
  ["no JSON", "{", " is no file"],
  ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), " is no file"],
  ["a tool twice", `{"pay": ${JSON.stringify(fixed)}, "pay": ${JSON.stringify(pay)}}`, " is no file"],
  [
    "a member twice",
    '{"pay": {"effect": "irreversible", "effect": "read", "boundary": "inside"}}',
    " is no file",
  ],
  ["a list", "[]", " is no object"],
  ["a profile that is none", '{"pay": "read"}', ': "pay" is no object'],
  ["no effect", '{"pay": {"boundary": "inside"}}', ': "pay".effect is none of'],
  ["no boundary", '{"pay": {"effect": "read"}}', ': "pay".boundary is none of'],
  ["another effect", one({ effect: "harmless" }), ': "pay".effect is none of "read"'],
  ["an effect that is a template", one({ effect: "{effect}" }), ': "pay".effect is none of'],
  ["a member that there is not", one({ amounts: 1 }), ': "pay" has a member "amounts"'],
  ["a control that is no list", one({ control: "iban" }), ': "pay".control is no list'],
  ["a control that names nothing", one({ control: ["a", 1] }), ': "pay".control[1] is no text'],
  ["a resource that is no template", one({ resource: "iban:{iban" }), ': "pay".resource is no template'],
  ["an amount without a currency", one({ amount: { value: "{a}" } }), ': "pay".amount.currency is no text'],
  [
    "an amount of more",
    one({ amount: { value: "{a}", currency: "EUR", of: 1 } }),
    ': "pay".amount has a member "of"',
  ],
  ["an undo that is no text", one({ undo: 1 }), ': "pay".undo is no text'],
  ["null", one({ workspace: null }), ': "pay".workspace is no text'],
])("%s: nothing starts, and it says where", async ([, text, where]) => {
  const file = written(text);
  const error = (await testBehest({ profiles: file }).catch((thrown: unknown) => thrown)) as BehestError;
  expect(error).toMatchObject({ code: "profiles_invalid" });
  expect(error.message).toContain(`profiles_invalid: ${file}${where}`);
});

test("a file that is not there, or no file, starts nothing", async () => {
  for (const profiles of [join(folder, "missing.json"), folder, ""])
    await expect(testBehest({ profiles })).rejects.toMatchObject({ code: "profiles_invalid" });
});

test("a tool that one does not own is decided by what the file says of it", async () => {
  await using behest = await testBehest({
    policy: "default",
    profiles: written(JSON.stringify({ look: { effect: "read", boundary: "inside" }, pay, fee: fixed })),
  });
  const session = await behest.as("alice", { look: {}, pay: {}, fee: {}, unknown: {} }, { run: "chat" });
  const perform = (tool: string, args: object): Promise<unknown> =>
    session.perform({ tool, args: args as never, callId: tool }, async () => tool);
  await expect(perform("look", {})).resolves.toMatchObject({ outcome: "done" });
  await expect(perform("fee", {})).resolves.toMatchObject({ outcome: "done" });
  // What its profile has to read is not there: nobody is asked about it.
  await expect(perform("pay", { iban: "DE1" })).rejects.toMatchObject({ code: "profile_invalid" });
  await expect(perform("unknown", {})).rejects.toMatchObject({
    code: "approval_needed",
    message: expect.stringContaining("withProfile(tool, { effect, boundary }), or a profiles file") as string,
  });
  const args = { iban: "DE1", team: "finance", amount: 5, currency: "EUR" };
  const paying = (): Promise<unknown> =>
    session.perform({ tool: "pay", args, callId: "pay 2" }, async () => "paid");
  await expect(paying()).rejects.toMatchObject({ code: "approval_needed" });
  const [approval] = (await behest.approvals.list({ group: "approvers" })).filter(
    ({ tool }) => tool === "pay",
  );
  const decision = await signDecision(approval!, { decision: "approve" }, behest.approver("approvers"));
  await behest.approvals.submit(approval!.id, decision);
  await expect(paying()).resolves.toEqual({ outcome: "done", value: "paid" });
});
