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
const ROUNDS = 60;
const WARM_UP = 20;
const CALLS = 25;

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

interface Cost {
  /** µs of CPU time a call, every thread of the process included. */
  readonly cpu: number;
  /** µs of wall time a call. */
  readonly wall: number;
}

/** Medians over rounds taken by turns, so that whatever else the machine does falls on both. */
async function byTurns(first: () => unknown, second: () => unknown): Promise<[Cost, Cost]> {
  const rounds: [Cost[], Cost[]] = [[], []];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [index, fn] of [first, second].entries()) {
      let wall = 0;
      const cpu = await cpuOf(async () => {
        wall = await wallOf(async () => {
          for (let call = 0; call < CALLS; call++) {
            const result = fn();
            if (result instanceof Promise) await result;
          }
        });
      });
      if (round >= WARM_UP) rounds[index]!.push({ cpu: cpu / CALLS, wall: (wall * 1000) / CALLS });
    }
  }
  return rounds.map((costs) => ({
    cpu: median(costs.map(({ cpu }) => cpu)),
    wall: median(costs.map(({ wall }) => wall)),
  })) as [Cost, Cost];
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
  const [raw, ours] = await byTurns(
    () => {
      for (const { key, input, signature } of bare)
        if (!verify(null, input, key, signature)) throw new Error("a signature does not verify");
    },
    () => verifyDelegation(text, options),
  );
  return atMost("verify-cold-4", ours.cpu / raw.cpu, "×", 1.7, {
    "ours µs": Math.round(ours.cpu),
    "bare µs": Math.round(raw.cpu),
  });
}

/** Biscuit's wasm ÷ ours: four blocks or hops from text, verified, and one call authorized under all of them. */
export async function verifyVsBiscuit(): Promise<Figure> {
  const { AuthorizerBuilder, Biscuit, KeyPair, SignatureAlgorithm } = await quietly(
    () => import("@biscuit-auth/biscuit-wasm"),
  );
  const { delegation, issuer } = await chainOfFour();
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const restriction = (hop: number): string => `
    check if time($now), $now < ${expires};
    check if tool("pay"), amount($a), $a <= ${100 - hop}, currency($c), ["EUR", "USD"].contains($c)
      or tool("read_file"), path($p), $p.starts_with("/data${"/team".repeat(hop)}/")
      or tool("send_mail"), to($t), $t.ends_with("@example.com"), subject($s), body($b);`;
  const root = new KeyPair(SignatureAlgorithm.Ed25519);
  const builder = Biscuit.builder();
  builder.addCode(`user("user-7"); right("pay"); right("read_file"); right("send_mail"); ${restriction(0)}`);
  let biscuit = builder.build(root.getPrivateKey());
  for (let hop = 1; hop < HOPS; hop++) {
    const block = Biscuit.block_builder();
    block.addCode(restriction(hop));
    biscuit = biscuit.appendBlock(block);
  }
  const token = biscuit.toBase64();
  const key = root.getPublicKey();
  const now = new Date().toISOString();
  const request = `time(${now}); tool("pay"); amount(20); currency("EUR"); allow if tool($t), right($t);`;

  const text = JSON.stringify(delegation);
  const options = { issuers: [{ iss: ISSUER, jwk: issuer.jwk }] };
  const [theirs, ours] = await byTurns(
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
  return atLeast("verify-vs-biscuit", theirs.cpu / ours.cpu, "×", 3, {
    "biscuit µs": Math.round(theirs.cpu),
    "ours µs": Math.round(ours.cpu),
    "wall ×": Number((theirs.wall / ours.wall).toPrecision(3)),
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
