import { inspect } from "node:util";
import { type Json, signCompact } from "@behest/jws";
import { expect, test } from "vitest";
import {
  type ActionOptions,
  type PresentedAction,
  deriveDelegation,
  generateHolder,
  is,
  issueDelegation,
  proveAction,
  replayCache,
  verifyAction,
} from "./index.ts";

const SECRET = "iban-DE02120300000000202051";
const NUMBER = 831_946_275;
const [issuer, agent, other] = [await generateHolder(), await generateHolder(), await generateHolder()];
const tools = { pay: { amount: is.between(1, 900_000_000).constraint, to: is.prefix("iban-").constraint } };
const delegation = await issueDelegation(
  { issuer: "https://issuer.test", holder: agent.jwk, principal: "p", task: "t", tools, expiresIn: "1h" },
  issuer,
);
const child = await deriveDelegation(delegation, { holder: agent.jwk, tools }, agent);
const options: ActionOptions = {
  issuers: [{ iss: "https://issuer.test", jwk: issuer.jwk }],
  audience: "https://bank.test",
};
const args = { amount: NUMBER, to: SECRET };
const prove = (change: object = {}, by = agent): Promise<string> =>
  proveAction({ delegation, tool: "pay", args, ...change }, by);
const proof = await prove();
const [head, payload, tail] = proof.split(".") as [string, string, string];
const good: PresentedAction = { chain: delegation, proof, tool: "pay", args };
/** A holder who signs whatever it likes. */
const signed = (claims: string | { readonly [name: string]: Json }, typ = "aat-pop+jwt"): Promise<string> =>
  Promise.resolve(signCompact({ typ }, claims, agent));
const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as {
  readonly [name: string]: Json;
};

const spent = replayCache();
await verifyAction(good, { ...options, replay: spent });
const full = replayCache({ max: 1 });
full.add("another", Number.POSITIVE_INFINITY);

/** Refused calls, one for every way in which arguments and proofs are read. */
const REFUSED: readonly (readonly [
  title: string,
  action: Partial<PresentedAction>,
  options?: Partial<ActionOptions>,
])[] = [
  ["other arguments than proven", { args: { ...args, amount: 7 } }],
  ["an argument out of bounds", { args: { ...args, amount: NUMBER * 1000 } }],
  ["an argument of another type", { args: { amount: SECRET, to: NUMBER } }],
  ["an argument that is not named", { args: { ...args, cc: SECRET } }],
  ["text that is not JSON", { args: `{"amount": ${SECRET}` }],
  ["text that ends early", { args: `{"amount": ${NUMBER}, "to": "${SECRET}` }],
  ["text with a repeated name", { args: `{"to": "${SECRET}", "to": "${SECRET}", "amount": ${NUMBER}}` }],
  [
    "text with digits that do not survive",
    { args: `{"to": "${SECRET}", "amount": ${NUMBER}.00000000000001}` },
  ],
  ["text that is no object", { args: `"${SECRET}"` }],
  ["a lone surrogate", { args: { ...args, to: `${SECRET}\ud800` } }],
  ["a class instance", { args: { ...args, to: new Map([[SECRET, NUMBER]]) as never } }],
  ["a bigint", { args: { ...args, amount: BigInt(NUMBER) as never } }],
  ["too deep", { args: { to: JSON.parse(`${"[".repeat(200)}"${SECRET}"${"]".repeat(200)}`) as never } }],
  ["another tool", { tool: "transfer" }],
  ["another chain", { chain: child }],
  ["a chain that is not JSON", { chain: `{"chain": "${proof}", ${SECRET}` }],
  ["a proof in place of a token", { chain: [proof] }],
  ["a proof with a damaged header", { proof: `${SECRET}${head}.${payload}.${tail}` }],
  ["a proof with a damaged payload", { proof: `${head}.${payload}A.${tail}` }],
  ["a proof with a damaged signature", { proof: `${head}.${payload}.${tail.slice(0, -4)}AAAA` }],
  ["a proof with four segments", { proof: `${proof}.${payload}` }],
  ["a proof by another key", { proof: await signedBy(other) }],
  ["a proof of another type", { proof: await signed(claims, "aat+jwt") }],
  ["a proof that is not JSON", { proof: await signed(`{"hta": {"to": ${SECRET}}}`) }],
  ["a proof with a repeated name", { proof: await signed(`{"jti": "${SECRET}", "jti": "${SECRET}"}`) }],
  ["a proof without ids", { proof: await signed({ ...claims, aat_id: NUMBER }) }],
  ["a proof for another audience", { proof: await signed({ ...claims, aat_aud: SECRET }) }],
  ["a proof without the audience", {}, { requireProofAudience: true }],
  ["a proof without the nonce", {}, { nonce: "n-1" }],
  ["a proof with another nonce", { proof: await prove({ nonce: SECRET }) }, { nonce: "n-1" }],
  ["an old proof", { proof: await prove({ now: NUMBER }) }],
  ["a spent proof", {}, { replay: spent }],
  ["a full cache", {}, { replay: full }],
];

async function signedBy(holder: typeof other): Promise<string> {
  const { chain } = await issueDelegation(
    { issuer: "https://issuer.test", holder: holder.jwk, principal: "p", task: "t", tools, expiresIn: "1h" },
    issuer,
  );
  return prove({ delegation: chain }, holder);
}

for (const [title, change, over] of REFUSED)
  test(`${title} is refused without telling of arguments or proof`, async () => {
    const action = { ...good, ...change };
    const error: unknown = await verifyAction(action, { ...options, ...over }).then(
      () => expect.unreachable("it was permitted"),
      (reason: unknown) => reason,
    );
    const shown = everythingIn(error);
    const segments = [proof, action.proof].flatMap((text) => text.split(".").slice(1));
    const told = [SECRET, String(NUMBER), ...segments]
      .flatMap(pieces)
      .filter((piece) => shown.includes(piece));
    expect(told).toEqual([]);
  });

/** A parser that complains quotes a few characters only. */
function pieces(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 7) }, (_, at) => text.slice(at, at + 8));
}

/** Whatever a logger could print of it. */
function everythingIn(error: unknown): string {
  let text = "";
  for (let at: unknown = error; at !== undefined; at = (at as Error).cause) {
    expect(at).toBeInstanceOf(Error);
    text += `${String(at)}\n${(at as Error).stack}\n${JSON.stringify(at)}\n${inspect(at, { depth: Infinity, showHidden: true })}\n`;
  }
  return text;
}
