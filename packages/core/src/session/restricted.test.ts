import { deriveDelegation, issueDelegation } from "@behest/delegation";
import { expect, test } from "vitest";
import { testBehest } from "../testing.ts";

const tools = { look: {}, note: {}, pay: {} };
const claims = { principal: "alice", task: "t", tools, expiresIn: "1h" } as const;
const profiles = {
  look: { effect: "read", boundary: "inside" },
  note: { effect: "reversible", boundary: "inside" },
} as const;

async function deployment() {
  const behest = await testBehest({ profiles });
  const { iss, signer } = behest.issuer;
  const issue = (more: object) =>
    issueDelegation({ ...claims, ...more, issuer: iss, holder: behest.holder.jwk }, signer);
  return { behest, issue };
}
const run = async () => "ran";

test("an action whose effect was not delegated is denied, and what has no profile counts as irreversible", async () => {
  const { behest, issue } = await deployment();
  const session = await behest.open(await issue({ effects: ["read", "reversible"] }));
  await expect(session.perform({ tool: "note", args: {} }, run)).resolves.toMatchObject({ outcome: "done" });
  await expect(session.perform({ tool: "pay", args: {} }, run)).rejects.toMatchObject({
    code: "effect_not_granted",
  });
  const child = await session.delegate({ tools: { look: {}, note: {} }, effects: ["read"] });
  await expect(child.perform({ tool: "look", args: {} }, run)).resolves.toMatchObject({ outcome: "done" });
  await expect(child.perform({ tool: "note", args: {} }, run)).rejects.toMatchObject({
    code: "effect_not_granted",
  });
  const narrowed = await child.delegate({ tools: { look: {}, other: {} }, effects: ["read"], narrow: true });
  await expect(narrowed.perform({ tool: "look", args: {} }, run)).resolves.toMatchObject({ outcome: "done" });
  await expect(narrowed.perform({ tool: "other", args: {} }, run)).rejects.toMatchObject({
    code: "tool_not_granted",
  });
  await expect(child.delegate({ tools: { note: {} }, effects: ["reversible"] })).rejects.toMatchObject({
    code: "wider_than_parent",
  });
  await behest.close();
});

test.each([["status", { status: { uri: "https://status.test/1", idx: 0 } }]])(
  "a delegation restricted by %s, which nothing here enforces, is refused and not ignored",
  async (name, more) => {
    const { behest, issue } = await deployment();
    const restricted = await issue(more);
    await expect(behest.open(restricted)).rejects.toMatchObject({
      code: "delegation_invalid",
      message: expect.stringContaining(name) as string,
    });
    const child = { ...claims, holder: behest.holder.jwk };
    const derived = await deriveDelegation(restricted, { holder: child.holder, tools }, behest.holder);
    await expect(behest.open(derived)).rejects.toMatchObject({ code: "delegation_invalid" });
    await behest.close();
  },
);
