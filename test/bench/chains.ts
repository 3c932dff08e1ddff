// The delegations that are measured: three tools, and every hop narrows the amount and the folder.
import {
  type AatTools,
  type Delegation,
  type Holder,
  deriveDelegation,
  generateHolder,
  is,
  issueDelegation,
} from "@behest/delegation";

export const ISSUER = "https://issuer.test";
export const CALL = { tool: "pay", args: { amount: 20, currency: "EUR" } } as const;
const MOST = 8;

/** The rest is handed on as it is. */
export function toolsAt(hop: number): AatTools {
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

export function rootClaims(holder: Holder): Parameters<typeof issueDelegation>[0] {
  return {
    issuer: ISSUER,
    holder: holder.jwk,
    principal: "user-7",
    task: "t",
    tools: toolsAt(0),
    expiresIn: "1h",
    maxDepth: MOST,
  };
}

export interface Chain {
  readonly delegation: Delegation;
  readonly issuer: Holder;
  /** Who signed each token. */
  readonly signers: readonly Holder[];
}

export async function chainOf(hops: number): Promise<Chain> {
  const issuer = await generateHolder();
  const holders = await Promise.all(Array.from({ length: hops }, generateHolder));
  let delegation = await issueDelegation(rootClaims(holders[0]!), issuer);
  for (let hop = 1; hop < hops; hop++)
    delegation = await deriveDelegation(
      delegation,
      { holder: holders[hop]!.jwk, tools: toolsAt(hop) },
      holders[hop - 1]!,
    );
  return { delegation, issuer, signers: [issuer, ...holders.slice(0, -1)] };
}
