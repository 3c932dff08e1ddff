import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { calls, overlapping, permits } from "../test/random.ts";
import type { Delegation } from "./delegation.ts";
import { type DeriveClaims, deriveDelegation } from "./derive.ts";
import { DelegationError } from "./error.ts";
import { explain } from "./explain.ts";
import { generateHolder } from "./keys/holder.ts";
import { issueDelegation } from "./issue.ts";
import { is } from "./grants/rule.ts";
import { verifyDelegation } from "./verify.ts";

const now = 1_800_000_000;
const [issuer, agent] = [await generateHolder(), await generateHolder()];
const issuers = [{ iss: "https://issuer.test", jwk: issuer.jwk }];
const base = { issuer: "https://issuer.test", holder: agent.jwk, principal: "u", task: "t", now } as const;
const tools = {
  pay: { amount: is.atMost(100).constraint, currency: is.oneOf("EUR", "USD").constraint },
  read_file: { path: is.under("/data").constraint },
};
let root: Delegation;
beforeAll(async () => {
  root = await issueDelegation(
    {
      ...base,
      tools,
      expiresIn: "1h",
      maxDepth: 2,
      workspace: "acme",
      limits: { calls: 9 },
      effects: ["read"],
    },
    issuer,
  );
});
const derive = (asked: Omit<DeriveClaims, "holder" | "now">, parent = root): Promise<Delegation> =>
  deriveDelegation(parent, { ...asked, holder: agent.jwk, now }, agent);

const wider = {
  tools: {
    pay: { amount: is.between(10, 500).constraint, currency: is.oneOf("EUR", "CHF").constraint },
    read_file: { path: is.under("/data/team").constraint },
    send_mail: {},
  },
  expiresIn: "2h",
  maxDepth: 5,
  workspace: "acme/finance",
  limits: { calls: 20 },
  effects: ["read", "reversible"],
} as const;

test("a request is explained part by part, without a signature and without a value of an argument", async () => {
  const said = await explain(root, { ...wider, now });
  expect(said.map(({ path, result }) => `${result} ${path}`)).toEqual([
    "narrowed tools.pay",
    "narrowed tools.pay.amount",
    "narrowed tools.pay.currency",
    "kept tools.read_file",
    "kept tools.read_file.path",
    "refused tools.send_mail",
    "narrowed effects",
    "narrowed limits",
    "kept workspace",
    "narrowed exp",
    "narrowed maxDepth",
  ]);
  expect(JSON.stringify(said)).not.toMatch(/CHF|500|team/);
  const apart = await explain(root, { tools, workspace: "globex", effects: ["irreversible"], now });
  expect(apart.filter(({ result }) => result === "refused").map(({ path }) => path)).toEqual([
    "effects",
    "workspace",
  ]);
});

test("deriving refuses what is wider, and with narrow takes what lies within the parent", async () => {
  await expect(derive(wider)).rejects.toMatchObject({ code: "wider_than_parent" });
  const verified = await verifyDelegation(await derive({ ...wider, narrow: true }), { issuers, now });
  expect(verified.tools).toEqual({
    pay: {
      amount: { constraint_type: "range", min: 10, max: 100 },
      currency: { constraint_type: "one_of", values: ["EUR"] },
    },
    read_file: { path: { constraint_type: "path", under: "/data/team" } },
  });
  expect(verified.restrictions).toEqual({
    workspace: "acme/finance",
    limits: { subtree: { calls: 9 } },
    effects: ["read"],
  });
  expect(verified.leaf).toMatchObject({ exp: now + 3600, maxDepth: 2 });
});

test.each([
  ["no tool", { tools: { send_mail: {} } }, "tools"],
  [
    "no value of a required argument",
    { tools: { read_file: { path: is.under("/etc").constraint } } },
    "tools",
  ],
  ["no effect", { tools, effects: ["irreversible"] as const }, "effects"],
  ["no place", { tools, workspace: "globex" }, "workspace"],
])("narrow refuses where %s is left, and says where", async (_, asked, name) => {
  const error = await derive({ ...asked, narrow: true }).catch((e: unknown) => e);
  expect(DelegationError.isInstance(error) && error.message).toContain(
    `${name}: nothing of what is asked for`,
  );
});

test("nobody explains what a parent that may not be handed on would hand on", async () => {
  const end = await derive({ tools, maxDepth: 1 });
  await expect(explain(end, { tools, now })).rejects.toMatchObject({ code: "depth_exceeded" });
});

test("whatever is asked for, what narrowing derives permits only what both permit, and strict deriving as asked", async () => {
  let narrowed = 0;
  await fc.assert(
    fc.asyncProperty(overlapping, async ([held, asked]) => {
      const parent = await issueDelegation({ ...base, tools: held, expiresIn: "1h" }, issuer);
      const said = await explain(parent, { tools: asked, now });
      const strict = await derive({ tools: asked }, parent).catch(() => undefined);
      expect(strict !== undefined).toBe(said.every(({ result }) => result === "kept"));
      const child = await derive({ tools: asked, narrow: true }, parent).catch(() => undefined);
      if (!child) return;
      narrowed += strict ? 0 : 1;
      const { tools: left } = await verifyDelegation(child, { issuers, now });
      for (const [tool, args] of calls)
        if (permits(left, tool, args))
          expect([permits(held, tool, args), permits(asked, tool, args)]).toEqual([true, true]);
    }),
    { numRuns: 150 },
  );
  expect(narrowed).toBeGreaterThan(0);
});
