import { expect, test } from "vitest";
import { restrictedBehest } from "../../test/restricted.ts";
import { type Profile, withProfile } from "../profile/profile.ts";
import { callTool } from "../adapter.ts";

const read = { effect: "read", boundary: "inside" } as const;
const tools = { look: {}, fixed: {}, plain: {}, unknown: {} };
const profiles: { readonly [tool: string]: Profile } = {
  look: { ...read, workspace: ({ place }: { place: string }) => place },
  fixed: { ...read, workspace: () => "acme/finance/travel" },
  plain: read,
};
const run = async (): Promise<string> => "ran";
const never = async (): Promise<never> => expect.unreachable("a tool body ran");

test("what lies in the delegated workspace or below it may be touched, and nothing else", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ workspace: "acme/finance" });
  for (const place of ["acme/finance", "acme/finance/travel", "acme/finance/a/b"])
    expect(await session.perform({ tool: "look", args: { place } }, run)).toMatchObject({ outcome: "done" });
  expect(await session.perform({ tool: "fixed", args: {} }, run)).toMatchObject({ outcome: "done" });
  for (const place of ["acme", "acme/finances", "acme/legal", "other", "finance"])
    await expect(session.perform({ tool: "look", args: { place } }, never)).rejects.toMatchObject({
      code: "workspace_refused",
    });
  const [permitted] = await behest.records.list({ verdict: "permit" });
  const { findings } = (await behest.records.get(permitted!.index))!.entries.action;
  expect(findings).toContainEqual(expect.objectContaining({ check: "workspace", code: "ok" }));
});

test("no spelling climbs out of it", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ workspace: "acme/finance" });
  for (const rest of [
    "..",
    "../legal",
    "a/../../legal",
    "../..",
    "...",
    "",
    "/",
    "%2e%2e",
    "a\\..\\..\\x",
    "a\n",
    "ä",
  ])
    await expect(
      session.perform({ tool: "look", args: { place: `acme/finance/${rest}` } }, never),
    ).rejects.toMatchObject({ code: "workspace_refused" });
  const endless = `acme/finance/${"a/".repeat(1_000_000)}a`;
  await expect(session.perform({ tool: "look", args: { place: endless } }, never)).rejects.toMatchObject({
    code: "workspace_refused",
  });
  const log = JSON.stringify(await behest.records.list());
  expect(log).not.toContain("legal");
});

test("a tool that does not say where it acts may not run there, though it only reads", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ workspace: "acme" });
  for (const tool of ["plain", "unknown"])
    await expect(session.perform({ tool, args: {} }, never)).rejects.toMatchObject({
      code: "workspace_refused",
    });
  expect(await session.authorize({ tool: "plain", args: {} })).toMatchObject({ verdict: "deny" });
  const free = await behest.opened({});
  expect(await free.perform({ tool: "plain", args: {} }, run)).toMatchObject({ outcome: "done" });
});

test("a sub-agent's narrower workspace counts, and its parent's is not widened by it", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ workspace: "acme" });
  const child = await session.delegate({ tools, workspace: "acme/finance" });
  const at = (place: string) => ({ tool: "look", args: { place } });
  expect(await child.perform(at("acme/finance/x"), run)).toMatchObject({ outcome: "done" });
  await expect(child.perform(at("acme/legal"), never)).rejects.toMatchObject({ code: "workspace_refused" });
  expect(await session.perform(at("acme/legal"), run)).toMatchObject({ outcome: "done" });
  const kept = await child.delegate({ tools });
  await expect(kept.perform(at("acme"), never)).rejects.toMatchObject({ code: "workspace_refused" });
});

test.each<[string, () => unknown]>([
  [
    "throws",
    () => {
      throw new Error("x");
    },
  ],
  ["answers a promise", async () => "acme"],
  ["answers an object that looks like text", () => ({ toString: () => "acme" })],
  ["answers a list", () => ["acme"]],
  ["answers null", () => null],
])("a reader that %s is a denial, workspace or not", async (_, workspace) => {
  await using behest = await restrictedBehest(tools);
  const definition = withProfile({}, { ...read, workspace: workspace as never });
  for (const claims of [{ workspace: "acme" }, {}]) {
    const session = await behest.opened(claims);
    await expect(callTool(session, { tool: "look", args: {}, definition }, never)).rejects.toMatchObject({
      code: "profile_invalid",
    });
  }
});
