import { expect, test } from "vitest";
import { type Json, signCompact, splitCompact } from "@behest/jws";
import { compareGrants } from "../constraints/compare.ts";
import type { AatTools } from "../constraints/constraint.ts";
import { deriveDelegation } from "../derive.ts";
import { issueDelegation } from "../issue.ts";
import { generateHolder } from "../keys/holder.ts";
import { verifyDelegation } from "../verify.ts";

const now = 1_800_000_000;
const [issuer, agent] = [await generateHolder(), await generateHolder()];
const iss = "https://issuer.test";
const issue = (tools: AatTools) =>
  issueDelegation(
    { issuer: iss, holder: agent.jwk, principal: "u", task: "t", tools, expiresIn: "1h", maxDepth: 8, now },
    issuer,
  );
const verify = (chain: readonly string[]) =>
  verifyDelegation(chain, { issuers: [{ iss, jwk: issuer.jwk }], now });

const CLAUSES = 251;
/** Folders in an order in which each takes a long search; equal as a set at every step. */
function shuffled(step: number): AatTools {
  const stride = 125 ** step % CLAUSES;
  const constraints = Array.from({ length: CLAUSES }, (_, i) => ({
    constraint_type: "path",
    under: `a${(i * stride) % CLAUSES}`,
  }));
  return { t: { p: { constraint_type: "any", constraints } } };
}

/** A child that its holder signs whatever comes of it. */
async function signed(chain: readonly string[], tools: AatTools): Promise<readonly string[]> {
  const any = await deriveDelegation(chain, { holder: agent.jwk, tools: { t: { p: exactly } }, now }, agent);
  const payload = JSON.parse(splitCompact(any.chain.at(-1)!).payload) as { [claim: string]: Json };
  const details = [{ type: "attenuating_agent_token", tools: tools as Json }];
  const token = await signCompact({ typ: "aat+jwt" }, { ...payload, authorization_details: details }, agent);
  return [...chain, token];
}
const exactly = { constraint_type: "any", constraints: [{ constraint_type: "exact", value: "a0/x" }] };

test("the pairs of a chain share one effort, however many hops it has", async () => {
  let { chain } = await issue(shuffled(0));
  const chains = [chain];
  for (let step = 1; step <= 6; step++) {
    expect(compareGrants(shuffled(step - 1), shuffled(step))).toEqual([]);
    chain = await signed(chain, shuffled(step)).catch(() => []);
    if (chain.length === 0) break;
    chains.push(chain);
  }
  await expect(verify(chains[1]!)).resolves.toBeDefined();
  await expect(verify(chains.at(-1)!)).rejects.toMatchObject({ code: "wider_than_parent", step: "4p4" });
});

test("the longest chain of the longest lists is verified, where each hop repeats its parent", async () => {
  const excluded = Array.from({ length: 12_000 }, () => ({}));
  const tools = { t: { p: { constraint_type: "not_one_of", excluded } } };
  let delegation = await issue(tools);
  for (let hop = 1; hop < 5; hop++)
    delegation = await deriveDelegation(delegation, { holder: agent.jwk, tools, now }, agent);
  expect(delegation.chain.join("").length).toBeGreaterThan(240_000);
  await expect(verify(delegation.chain)).resolves.toHaveProperty("hops", 5);
});
