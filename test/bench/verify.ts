// Verifying chains, cold: against the platform's own signatures, by length, and against Biscuit on four blocks.
import { createPublicKey, verify } from "node:crypto";
import { checkArguments, verifyDelegation } from "@behest/delegation";
import { CALL, type Chain, ISSUER, chainOf } from "./chains.ts";
import { type Figure, atMost, measured } from "./figure.ts";
import { biscuitOf, biscuitVerification } from "./peers/biscuit.ts";
import { cpuByTurns, wallByTurns } from "./turns.ts";

/** A chain from its text, parsed and verified. */
function whole({ delegation, issuer }: Chain): () => unknown {
  const text = JSON.stringify(delegation);
  const options = { issuers: [{ iss: ISSUER, jwk: issuer.jwk }] };
  return () => verifyDelegation(text, options);
}

/** Only the Ed25519 verifications in it, keys imported before. */
function bare({ delegation, signers }: Chain): () => void {
  const signed = delegation.chain.map((token, hop) => {
    const dot = token.lastIndexOf(".");
    return {
      key: createPublicKey({ key: { ...signers[hop]!.jwk }, format: "jwk" }),
      input: Buffer.from(token.slice(0, dot)),
      signature: Buffer.from(token.slice(dot + 1), "base64url"),
    };
  });
  return () => {
    for (const { key, input, signature } of signed)
      if (!verify(null, input, key, signature)) throw new Error("a signature does not verify");
  };
}

/** A chain ÷ the bare Ed25519 verifications in it. */
export async function verifyChain(id: string, hops: number): Promise<Figure> {
  const chain = await chainOf(hops);
  const [raw = 0, ours = 0] = await wallByTurns(bare(chain), whole(chain));
  return atMost(id, ours / raw, "×", 1.7, { "ours µs": Math.round(ours), "bare µs": Math.round(raw) });
}

/** A chain of 8 ÷ two chains of 4. */
export async function verifyGrowth(): Promise<Figure> {
  const [four = 0, eight = 0] = await wallByTurns(whole(await chainOf(4)), whole(await chainOf(8)));
  return atMost("verify-growth", eight / (2 * four), "×", 1.2, {
    "4 µs": Math.round(four),
    "8 µs": Math.round(eight),
  });
}

/** Only the receiving side, on four: what `verify-vs-biscuit` was before; no target. */
export async function verifyVsBiscuit4(): Promise<Figure> {
  const { delegation, issuer } = await chainOf(4);
  const text = JSON.stringify(delegation);
  const options = { issuers: [{ iss: ISSUER, jwk: issuer.jwk }] };
  const [theirs, ours] = await cpuByTurns(biscuitVerification(await biscuitOf(4)), async () => {
    const { tools } = await verifyDelegation(text, options);
    if (checkArguments(tools, CALL.tool, CALL.args)) throw new Error("the call is not granted");
  });
  return measured("verify-vs-biscuit-4", theirs.own / ours.own, "×", {
    "biscuit µs": Math.round(theirs.own),
    "ours µs": Math.round(ours.own),
    "all threads ×": Number((theirs.all / ours.all).toPrecision(3)),
  });
}
