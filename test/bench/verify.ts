// Verifying a chain of four, cold: against the platform's own signatures, and against Biscuit doing the same work.
import { createPublicKey, verify } from "node:crypto";
import {
  type AatTools,
  type Delegation,
  type Holder,
  checkArguments,
  deriveDelegation,
  generateHolder,
  is,
  issueDelegation,
  verifyDelegation,
} from "@behest/delegation";
import { type Figure, atLeast, atMost, cpuOf, median, wallOf } from "./figure.ts";

const HOPS = 4;
const ISSUER = "https://issuer.test";
const ROUNDS = 1_500;
const WARM_UP = 500;
const BUNDLE = 25;

/** Every hop narrows the amount and the folder; the rest is handed on as it is. */
function toolsAt(hop: number): AatTools {
  return {
    read_file: { path: is.under(`/data${"/team".repeat(hop)}`).constraint },
    pay: { amount: is.atMost(100 - hop).constraint, currency: is.oneOf("EUR", "USD").constraint },
    send_mail: {
      to: is.email("@example.com").constraint,
      subject: is.any.constraint,
      body: is.any.constraint,
    },
  };
}
const CALL = { tool: "pay", args: { amount: 20, currency: "EUR" } } as const;

async function chainOfFour(): Promise<{
  delegation: Delegation;
  issuer: Holder;
  signers: readonly Holder[];
}> {
  const issuer = await generateHolder();
  const holders = await Promise.all(Array.from({ length: HOPS }, generateHolder));
  const root = {
    issuer: ISSUER,
    holder: holders[0]!.jwk,
    principal: "user-7",
    task: "t",
    tools: toolsAt(0),
    expiresIn: "1h",
  } as const;
  let delegation = await issueDelegation(root, issuer);
  for (let hop = 1; hop < HOPS; hop++)
    delegation = await deriveDelegation(
      delegation,
      { holder: holders[hop]!.jwk, tools: toolsAt(hop) },
      holders[hop - 1]!,
    );
  return { delegation, issuer, signers: [issuer, ...holders.slice(0, -1)] };
}

/** Median µs of wall time a call, call by call in turns: whatever else the machine does falls on both. */
async function wallByTurns(first: () => unknown, second: () => unknown): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [index, fn] of [first, second].entries()) {
      const time = await wallOf(fn);
      if (round >= WARM_UP) times[index]!.push(time * 1000);
    }
  }
  return [median(times[0]), median(times[1])];
}

interface Cpu {
  /** µs a call on this thread. */
  readonly own: number;
  /** µs a call on all threads: what garbage collection adds depends on how busy the machine is. */
  readonly all: number;
}

/** Median CPU time a call, over bundles of calls in turns: for work whose garbage falls on whoever comes next. */
async function cpuByTurns(first: () => unknown, second: () => unknown): Promise<[Cpu, Cpu]> {
  const bundles: [Cpu[], Cpu[]] = [[], []];
  for (let round = 0; round < WARM_UP + ROUNDS; round += BUNDLE) {
    for (const [index, fn] of [first, second].entries()) {
      const before = process.threadCpuUsage();
      const all = await cpuOf(async () => {
        for (let call = 0; call < BUNDLE; call++) await fn();
      });
      const { user, system } = process.threadCpuUsage(before);
      if (round >= WARM_UP) bundles[index]!.push({ own: (user + system) / BUNDLE, all: all / BUNDLE });
    }
  }
  const middle = (costs: readonly Cpu[]): Cpu => ({
    own: median(costs.map(({ own }) => own)),
    all: median(costs.map(({ all }) => all)),
  });
  return [middle(bundles[0]), middle(bundles[1])];
}

/** A chain of 4, parsed and verified from its text, ÷ the four bare Ed25519 verifications in it. */
export async function verifyCold4(): Promise<Figure> {
  const { delegation, issuer, signers } = await chainOfFour();
  const bare = delegation.chain.map((token, hop) => {
    const dot = token.lastIndexOf(".");
    const key = createPublicKey({ key: { ...signers[hop]!.jwk }, format: "jwk" });
    return {
      key,
      input: Buffer.from(token.slice(0, dot)),
      signature: Buffer.from(token.slice(dot + 1), "base64url"),
    };
  });
  const text = JSON.stringify(delegation);
  const options = { issuers: [{ iss: ISSUER, jwk: issuer.jwk }] };
  const [raw, ours] = await wallByTurns(
    () => {
      for (const { key, input, signature } of bare)
        if (!verify(null, input, key, signature)) throw new Error("a signature does not verify");
    },
    () => verifyDelegation(text, options),
  );
  return atMost("verify-cold-4", ours / raw, "×", 1.7, {
    "ours µs": Math.round(ours),
    "bare µs": Math.round(raw),
  });
}

/** Biscuit's wasm ÷ ours: four blocks or hops from text, verified, and one call authorized under all of them. */
export async function verifyVsBiscuit(): Promise<Figure> {
  const { AuthorizerBuilder, Biscuit, KeyPair, SignatureAlgorithm } = await quietly(
    () => import("@biscuit-auth/biscuit-wasm"),
  );
  const { delegation, issuer } = await chainOfFour();
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  // The closed world once, in the authority block, which every other block can only narrow.
  const named = toolsAt(0);
  const places = Object.keys(named).flatMap((tool) =>
    Object.keys(named[tool]!).map((argument) => `"${tool}.${argument}"`),
  );
  const closedWorld = `check all tool($t), argument($n), [${places.join(", ")}].contains($t + "." + $n);`;
  const restriction = (hop: number): string => `
    check if time($now), $now < ${expires};
    check if tool("pay"), amount($a), $a <= ${100 - hop}, currency($c), ["EUR", "USD"].contains($c)
      or tool("read_file"), path($p), $p.starts_with("/data${"/team".repeat(hop)}/"), !$p.contains("..")
      or tool("send_mail"), to($t), $t.ends_with("@example.com"), subject($s), body($b);`;
  const root = new KeyPair(SignatureAlgorithm.Ed25519);
  const builder = Biscuit.builder();
  builder.addCode(
    `user("user-7"); right("pay"); right("read_file"); right("send_mail"); ${closedWorld} ${restriction(0)}`,
  );
  let biscuit = builder.build(root.getPrivateKey());
  for (let hop = 1; hop < HOPS; hop++) {
    const block = Biscuit.block_builder();
    block.addCode(restriction(hop));
    biscuit = biscuit.appendBlock(block);
  }
  const token = biscuit.toBase64();
  const key = root.getPublicKey();
  const now = new Date().toISOString();
  const request = `time(${now}); tool("pay"); argument("amount"); amount(20); argument("currency"); currency("EUR"); allow if tool($t), right($t);`;

  const text = JSON.stringify(delegation);
  const options = { issuers: [{ iss: ISSUER, jwk: issuer.jwk }] };
  const [theirs, ours] = await cpuByTurns(
    () => {
      const parsed = Biscuit.fromBase64(token, key);
      const authorizerBuilder = new AuthorizerBuilder();
      authorizerBuilder.addCode(request);
      const authorizer = authorizerBuilder.buildAuthenticated(parsed);
      authorizer.authorizeWithLimits({ max_time_micro: 1_000_000 });
      authorizer.free();
      parsed.free();
    },
    async () => {
      const { tools } = await verifyDelegation(text, options);
      if (checkArguments(tools, CALL.tool, CALL.args)) throw new Error("the call is not granted");
    },
  );
  return atLeast("verify-vs-biscuit", theirs.own / ours.own, "×", 3, {
    "biscuit µs": Math.round(theirs.own),
    "ours µs": Math.round(ours.own),
    "all threads ×": Number((theirs.all / ours.all).toPrecision(3)),
  });
}

/** Biscuit's module greets on stdout, where `--json` prints figures. */
async function quietly<T>(load: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => undefined;
  try {
    return await load();
  } finally {
    console.log = log;
  }
}
