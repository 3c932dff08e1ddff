import { expect } from "vitest";
import { type MandateRequest, draftMandate, signMandate } from "../src/approval/mandate.ts";
import { Estate } from "./estate.ts";

export const approvals = { pay: { finance: 1 } };
export const yes = { decision: "approve" } as const;
export const no = { decision: "deny" } as const;
export const HOUR = 3_600_000;
/** To bob, 20 at most. */
export const small = {
  to: { constraint_type: "exact", value: "bob" },
  amount: { constraint_type: "range", max: 20 },
};

/** An agent whose payments finance approves, and a mandate for them. */
export async function mandated(
  kind: "memory" | "sqlite" = "memory",
  change: Partial<MandateRequest> = {},
  restrictions: object = { approvals },
) {
  const estate = await Estate.make(kind);
  const behest = await estate.open();
  const delegation = await estate.delegate(restrictions);
  const session = await behest.open(delegation, { run: "r" });
  const mandate = draftMandate({
    delegation,
    tool: "pay",
    constraints: small,
    count: 3,
    group: "finance",
    expires: estate.time.now + HOUR,
    ...change,
  });
  const sign = async (by = estate.people.cfo, decision: typeof yes | typeof no = yes): Promise<void> =>
    behest.approvals.submitAhead(await signMandate(mandate, decision, by));
  const close = async (): Promise<void> => {
    expect(await estate.objections()).toEqual([]);
    await behest.close();
    estate[Symbol.dispose]();
  };
  return { estate, behest, delegation, session, mandate, sign, close };
}
