import { generateHolder, issueDelegation } from "@behest/delegation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

let place: Workplace;
beforeAll(() => {
  place = Workplace.used();
});
afterAll(() => place[Symbol.dispose]());

const PAY = ["delegate", "--task", "Pay", "--tool", "pay(*)"];
const RESTRICTED = [
  ["--workspace", "acme/finance", "--fan-out", "2", "--effects", "read,reversible", "--consent", "local"],
  ["--limit", "20 calls", "--limit", "500.00 EUR", "--limit", "50 EUR per action"],
  ["--approval", "pay=finance:2", "--approval", "*=legal"],
].flat();

test("what restricts a delegation is written from options and shown by inspect, and a child can only tighten it", () => {
  place.must(...PAY, ...RESTRICTED, "--out", "restricted.json");
  const { hops } = place.json("inspect", "restricted.json") as { hops: [{ restrictions: object }] };
  expect(hops[0].restrictions).toEqual({
    workspace: "acme/finance",
    fan_out: 2,
    effects: ["read", "reversible"],
    consent: { min: "local" },
    limits: { subtree: { calls: 20, amount: { EUR: "500.00" } }, action: { amount: { EUR: "50" } } },
    approvals: { pay: { finance: 2 }, "*": { legal: 1 } },
  });
  const lines = place.must("inspect", "restricted.json");
  expect(lines).toContain("limits.subtree.amount.EUR: 500.00");
  expect(lines).toContain("effects: read, reversible");
  expect(place.must("inspect", "alice.json")).not.toMatch(/^(restricted|identity|consent)|[{}]$/m);
  const derive = ["derive", "restricted.json", "--tool", "pay(*)"];
  expect(place.refusal(place.behest(...derive, "--limit", "21 calls"))).toBe("wider_than_parent 1");
  expect(place.refusal(place.behest(...derive, "--effects", "irreversible"))).toBe("wider_than_parent 1");
  place.must(...derive, "--limit", "2 calls", "--out", "tighter.json");
});

test("which agent a delegation is meant for and how its principal consented are shown", async () => {
  const issuer = await generateHolder();
  const request = { issuer: "https://issuer.test", holder: issuer.jwk, principal: "p", task: "t", tools: {} };
  const said = { consent: { rung: "passkey" }, identity: { model: "m-1" }, expiresIn: "1h" } as const;
  const root = await issueDelegation({ ...request, ...said }, issuer);
  const { stdout } = place.behestWith({ input: JSON.stringify(root) }, "inspect", "-");
  expect(stdout).toMatch(/^identity +model: m-1$/m);
  expect(stdout).toMatch(/^consent +rung: passkey$/m);
});

test.each([
  ["--limit", "20"],
  ["--limit", "2.5 calls"],
  ["--limit", "5 EUR per year"],
  ["--fan-out", "-1"],
  ["--effects", "write"],
  ["--approval", "pay"],
  ["--approval", "pay=finance:0"],
  ["--consent", "shouted"],
])("%s %s is refused as usage", (option, value) => {
  expect(place.refusal(place.behest(...PAY, option, value))).toBe("usage 2");
});

test.each([
  ["--limit", "5 eur"],
  ["--limit", "05 EUR"],
  ["--workspace", "../other"],
])("%s %s is refused as no well-formed restriction", (option, value) => {
  expect(place.refusal(place.behest(...PAY, option, value))).toBe("malformed_request 1");
});

test("derive explains a wider request without signing, and narrows it where it is told to", () => {
  const wider = [
    "alice.json",
    "--tool",
    "send_mail(to=*, subject=*, body=*)",
    "--tool",
    "pay(*)",
    "--expires",
    "9d",
  ];
  const explained = place.json("derive", ...wider, "--explain") as { path: string; result: string }[];
  expect(explained.map(({ path, result }) => `${result} ${path}`)).toEqual([
    "refused tools.pay",
    "narrowed tools.send_mail",
    "kept tools.send_mail.body",
    "kept tools.send_mail.subject",
    "narrowed tools.send_mail.to",
    "narrowed exp",
  ]);
  expect(place.must("derive", ...wider, "--explain")).toContain("the parent does not grant the tool");
  expect(place.refusal(place.behest("derive", ...wider))).toBe("wider_than_parent 1");
  place.must("derive", ...wider, "--narrow", "--out", "narrowed.json");
  const { hops } = place.json("inspect", "narrowed.json") as { hops: { grants: string[] }[] };
  expect(hops.at(-1)!.grants).toEqual(["send_mail(body=*, subject=*, to=@example.com)"]);
});
