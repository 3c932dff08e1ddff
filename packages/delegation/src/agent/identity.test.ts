import { signCompact, splitCompact } from "@behest/jws";
import { expect, test } from "vitest";
import {
  type AgentIdentity,
  compareIdentity,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  verifyDelegation,
} from "../index.ts";

const [issuer, holder] = [await generateHolder(), await generateHolder()];
const issuers = [{ iss: "https://issuer.test", jwk: issuer.jwk }];
const identity = { deployer: "acme", model: "m-1", version: "2.0", instance: "i-7" };
const claims = {
  issuer: "https://issuer.test",
  holder: holder.jwk,
  principal: "p",
  task: "t",
  tools: {},
  expiresIn: "1h",
} as const;

test("each hop says which agent it is meant for, and hands nothing of that on", async () => {
  const root = await issueDelegation({ ...claims, identity }, issuer);
  const plain = await deriveDelegation(root, { holder: holder.jwk, tools: {} }, holder);
  const child = await deriveDelegation(
    plain,
    { holder: holder.jwk, tools: {}, identity: { model: "m-2" } },
    holder,
  );
  const { claims: hops } = await verifyDelegation(child, { issuers });
  expect(hops.map((hop) => hop.identity)).toEqual([identity, undefined, { model: "m-2" }]);
});

test.each([
  ["no member", {}],
  ["an empty text", { model: "" }],
  ["another type", { model: 1 }],
  ["a member nobody compares", { model: "m", region: "eu" }],
  ["a list", ["m"]],
  ["null", null],
  ["a text", "m"],
  ["a member of the prototype", JSON.parse('{"__proto__": "m"}') as object],
])("an identity that cannot be compared is refused, not ignored: %s", async (_name, bad) => {
  await expect(issueDelegation({ ...claims, identity: bad as AgentIdentity }, issuer)).rejects.toMatchObject({
    code: "malformed_request",
  });
  const { chain } = await issueDelegation(claims, issuer);
  const payload = JSON.parse(splitCompact(chain[0]!).payload) as object;
  const text = JSON.stringify({ ...payload, agent_identity: 0 }).replace(
    '"agent_identity":0',
    `"agent_identity":${JSON.stringify(bad)}`,
  );
  const forged = await signCompact({ typ: "aat+jwt" }, text, issuer);
  await expect(verifyDelegation([forged], { issuers })).rejects.toMatchObject({
    code: "malformed_delegation",
    hop: 0,
  });
});

test("what is bound and equal fits; what is bound and differs or is not stated does not", () => {
  expect(compareIdentity(identity, { ...identity })).toEqual([]);
  expect(compareIdentity({ model: "m-1" }, identity)).toEqual([]);
  for (const member of ["deployer", "model", "version", "instance"] as const) {
    expect(compareIdentity(identity, { ...identity, [member]: "x" })).toEqual([{ member, found: "other" }]);
    const { [member]: _, ...rest } = identity;
    expect(compareIdentity(identity, rest)).toEqual([{ member, found: "absent" }]);
    expect(compareIdentity({ [member]: "X" }, { [member]: "x" })).toEqual([{ member, found: "other" }]);
  }
  expect(compareIdentity(identity, undefined)).toHaveLength(4);
  expect(JSON.stringify(compareIdentity(identity, { model: "secret" }))).not.toMatch(/m-1|secret|acme/);
});
