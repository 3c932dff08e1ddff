import { type Json, fromBase64url, signCompact } from "@behest/jws";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EVERYTHING, calls, overlapping, pair, permits, toolPair } from "../../test/random.ts";
import { check } from "./check.ts";
import {
  type AatTools,
  DelegationError,
  type Delegation,
  compareGrants,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  verifyDelegation,
} from "../index.ts";
import { rewrap, rewrapTools } from "./narrow.ts";
import { subsumes } from "./subsume.ts";

test("what the table accepts admits no value that the parent refuses", () => {
  fc.assert(
    fc.property(pair, ([parent, child]) => {
      const admitted = subsumes(parent, child) ? EVERYTHING.filter((each) => check(child, each)) : [];
      expect(admitted.filter((each) => !check(parent, each))).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});

test("re-wrapping yields what the table accepts, and admits exactly the values asked for", () => {
  let rewrapped = 0;
  fc.assert(
    fc.property(pair, ([parent, wanted]) => {
      const form = rewrap(parent, wanted);
      if (!form) return;
      expect(subsumes(parent, form)).toBe(true);
      if (form !== wanted) rewrapped++;
      for (const each of EVERYTHING) expect(check(form, each)).toBe(check(wanted, each));
    }),
    { numRuns: 4000 },
  );
  expect(rewrapped).toBeGreaterThan(100);
});

test("calls that a narrower grant permits, its parent permits", () => {
  fc.assert(
    fc.property(toolPair, ([parent, child]) => {
      const narrower = compareGrants(parent, child).length === 0;
      const permitted = calls.filter(([tool, args]) => narrower && permits(child, tool, args));
      expect(permitted.filter(([tool, args]) => !permits(parent, tool, args))).toEqual([]);
    }),
    { numRuns: 1500 },
  );
});

test("what is re-wrapped permits exactly the calls asked for, none that the parent refuses", () => {
  let rewrapped = 0;
  fc.assert(
    fc.property(overlapping, ([parent, wanted]) => {
      const tools = rewrapTools(parent, wanted);
      const permitted = calls.filter(([tool, args]) => permits(tools, tool, args));
      expect(permitted).toEqual(calls.filter(([tool, args]) => permits(wanted, tool, args)));
      if (compareGrants(parent, tools).length > 0) return;
      if (compareGrants(parent, wanted).length > 0) rewrapped++;
      expect(permitted.filter(([tool, args]) => !permits(parent, tool, args))).toEqual([]);
    }),
    { numRuns: 4000 },
  );
  expect(rewrapped).toBeGreaterThan(10);
});

test("deriving, comparing and verifying agree on every pair, and a derived leaf permits what was asked for", async () => {
  const [issuer, holder] = [await generateHolder(), await generateHolder()];
  const issuers = [{ iss: "https://issuer.test", jwk: issuer.jwk }];
  const counts = { derived: 0, refused: 0 };
  const asWritten = async (root: Delegation, child: AatTools): Promise<Delegation> => {
    // A holder who signs whatever it likes.
    const honest = await deriveDelegation(root, { holder: holder.jwk, tools: {} }, holder);
    const payload = new TextDecoder().decode(fromBase64url(honest.chain[1]!.split(".")[1]!));
    const claims = JSON.parse(payload) as { [name: string]: Json };
    claims["authorization_details"] = [{ type: "attenuating_agent_token", tools: child as Json }];
    return { chain: [root.chain[0]!, await signCompact({ typ: "aat+jwt" }, claims, holder)] };
  };
  await fc.assert(
    fc.asyncProperty(toolPair, async ([parent, child]) => {
      const claims = {
        issuer: "https://issuer.test",
        holder: holder.jwk,
        principal: "p",
        task: "t",
        tools: parent,
        expiresIn: "1h",
      } as const;
      const root = await issueDelegation(claims, issuer);
      const compared = compareGrants(parent, child).length === 0 ? "narrower" : "wider_than_parent";
      const literal = await attempt(verifyDelegation(await asWritten(root, child), { issuers }));
      expect(typeof literal === "string" ? literal : "narrower").toBe(compared);

      const derived = await attempt(deriveDelegation(root, { holder: holder.jwk, tools: child }, holder));
      if (typeof derived === "string") counts.refused++;
      else counts.derived++;
      // What deriving refuses, verifying refuses too.
      expect(typeof derived === "string" ? derived : compared).toBe(compared);
      const written =
        typeof derived === "string" ? undefined : (await verifyDelegation(derived, { issuers })).tools;
      const differing = calls.filter(
        ([tool, args]) => written && permits(written, tool, args) !== permits(child, tool, args),
      );
      expect(differing).toEqual([]);
    }),
    { numRuns: 300 },
  );
  expect(Math.min(counts.derived, counts.refused)).toBeGreaterThan(30);
});

/** The result, or the code of the refusal. */
async function attempt<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    return DelegationError.isInstance(error) ? error.code : String(error);
  }
}
