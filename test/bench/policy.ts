// What policies cost: CPU time of authorize in a session under a set of them.
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testBehest } from "@behest/core/testing";
import { type Json, grants, is } from "@behest/delegation";
import { type Figure, atMost, cpuOf, measured, median } from "./figure.ts";

/** Four that policies look at (agent, person, resource, tool), eight arguments that they read. */
const SCHEMA = `action "pay" appliesTo {
  principal: Agent, resource: Resource,
  context: { args: {
    to: String, amount: decimal, currency: String, note: String, purpose: String, urgent: Bool, copies: Long, tags: Set<String>,
  } },
};
`;

const CONDITIONS = [
  'context.args.to like "XX*"',
  'context.args.amount.greaterThan(decimal("1000.0"))',
  '!["EUR", "USD"].contains(context.args.currency)',
  'context.args.note like "*password*"',
  'context.args.purpose == "gift"',
  "context.args.urgent && context.depth > 2",
  'context.args.copies > 3 || context.args.tags.contains("blocked")',
  'principal.person.subject == "mallory"',
  'resource in Workspace::"closed"',
];

function policies(count: number): string {
  const forbids = Array.from({ length: count - 1 }, (_, i) => {
    const condition = CONDITIONS[i % CONDITIONS.length]!;
    return `forbid(principal, action == Action::"pay", resource) when { ${condition} };`;
  });
  return `permit(principal, action in Action::"tool", resource);\n${forbids.join("\n")}\n`;
}

const tools = { pay: {} };
const allowed = grants(tools, {
  pay: {
    to: is.prefix("DE"),
    amount: is.atMost(500),
    currency: is.oneOf("EUR", "USD"),
    note: is.any,
    purpose: is.any,
    urgent: is.any,
    copies: is.any,
    tags: is.any,
  },
});
const profile = {
  effect: "irreversible",
  boundary: "outside",
  control: ["to"],
  resource: ({ to }: { to: string }) => `iban:${to}`,
} as const;

export function authorizeCedar10(): Promise<Figure> {
  return authorize(10).then(({ µs, beside }) => atMost("authorize-cedar-10", µs, "µs", 150, beside));
}

export function authorizeCedar100(): Promise<Figure> {
  return authorize(100).then(({ µs, beside }) => measured("authorize-cedar-100", µs, "µs", beside));
}

// Core imports it when the first policies are loaded: what it asks from then on is seen here.
const cedar = createRequire(import.meta.resolve("@behest/core"))("@cedar-policy/cedar-wasm/nodejs") as {
  statefulIsAuthorized: (call: unknown) => unknown;
};
const ask = cedar.statefulIsAuthorized;
let calls: unknown[] = [];
cedar.statefulIsAuthorized = (call) => {
  calls.push(call);
  return ask(call);
};

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const message = new Uint8Array(1000);
const signature = sign(null, message, privateKey);

/** Each round: as many different actions, then Cedar alone on the very calls that it was given, and the machine's pace. */
const ROUNDS = 15;
const ACTIONS = 1000;

async function authorize(count: number): Promise<{ µs: number; beside: NonNullable<Figure["beside"]> }> {
  const folder = mkdtempSync(join(tmpdir(), "behest-bench-"));
  try {
    writeFileSync(join(folder, "a.cedar"), policies(count));
    writeFileSync(join(folder, "a.cedarschema"), SCHEMA);
    await using behest = await testBehest({ policy: folder, profiles: { pay: profile } as never });
    const session = await (await behest.as("alice", allowed)).delegate({ tools: allowed });
    const [whole, raw, again, verification]: number[][] = [[], [], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      const actions = Array.from({ length: ACTIONS }, (_, i) => actionOf(round * ACTIONS + i));
      const permitted = async (action: Action): Promise<void> => {
        if ((await session.authorize(action)).verdict !== "permit")
          throw new Error("the action to measure is not permitted");
      };
      const each = async (fn: (i: number) => unknown): Promise<number> =>
        (await cpuOf(async () => {
          for (let i = 0; i < ACTIONS; i++) await fn(i);
        })) / ACTIONS;
      calls = [];
      whole!.push(await each((i) => permitted(actions[i]!)));
      const asked = calls;
      if (asked.length !== ACTIONS) throw new Error("Cedar was not asked once for each action");
      raw!.push(await each((i) => ask(asked[i])));
      again!.push(await each(() => permitted(actions[0]!)));
      verification!.push(await each(() => verify(null, message, publicKey, signature)));
    }
    const [µs, alone, repeated, one] = [whole!, raw!, again!, verification!].map((all) =>
      median(all.slice(5)),
    );
    return {
      µs: µs!,
      beside: {
        "Cedar alone, µs": alone!.toFixed(0),
        "÷ Cedar alone": (µs! / alone!).toFixed(2),
        "÷ one Ed25519 verification": (µs! / one!).toFixed(2),
        "the same action again, µs": repeated!.toFixed(0),
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Action {
  readonly tool: string;
  readonly args: { readonly [name: string]: Json };
}

function actionOf(n: number): Action {
  return {
    tool: "pay",
    args: {
      to: `DE${n}`,
      amount: 12.5 + (n % 400),
      currency: "EUR",
      note: "as promised, the figures for this week ".repeat(4),
      purpose: "invoice",
      urgent: false,
      copies: 1,
      tags: ["travel", "2026"],
    },
  };
}
