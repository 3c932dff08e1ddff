import { afterEach, expect, test, vi } from "vitest";
import { Estate, pay, said } from "../../test/estate.ts";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { draftOverride, signOverride } from "./override.ts";
import type { Session } from "../types.ts";

afterEach(() => vi.restoreAllMocks());

/** Under an override, for all tools. */
async function opened(kind: "memory" | "sqlite", policies: { readonly [file: string]: string }) {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const folder = new PolicyFolder(policies);
  const estate = await Estate.make(kind);
  const behest = await estate.open({ policy: folder.path });
  const delegation = await estate.delegate();
  const session = await behest.open(delegation);
  const override = draftOverride({ delegation, reason: "it is down", expires: estate.time.now + 60_000 });
  await behest.approvals.submitAhead(
    await signOverride(override, { decision: "approve" }, estate.people.warden),
  );
  const close = async (): Promise<void> => {
    expect(await estate.objections()).toEqual([]);
    await behest.close();
    estate[Symbol.dispose]();
    folder[Symbol.dispose]();
  };
  return { behest, session, close };
}

const look = (session: Session): Promise<string> =>
  said(session.perform({ tool: "look", args: {} }, async () => "seen"));

test("an override lifts what is asked for, not its limit", async () => {
  const { session, close } = await opened("memory", {
    "a.cedar": `@id("all") @limit("1 call") permit(principal, action, resource);
@ask("group:finance") forbid(principal, action, resource);`,
  });
  expect(await look(session)).toBe("done");
  expect(await look(session)).toBe("budget_spent");
  await close();
});

test.each(["memory", "sqlite"] as const)(
  "what is forbidden is counted by those that would permit it (%s)",
  async (kind) => {
    const { behest, session, close } = await opened(kind, {
      "a.cedar": `@id("cap") @limit("2 calls, 10 EUR per subtree; 8 EUR per action") permit(principal, action, resource);
@id("frozen") forbid(principal, action, resource) when { context.tool == "pay" };
@id("wait") @ask("group:finance") forbid(principal, action, resource);`,
    });
    // Beyond a limit whatever was taken before: what policies say stands.
    expect(await pay(session, "1", 9)).toBe("policy_denied");
    expect(await pay(session, "2", 8)).toBe("done");
    expect(await pay(session, "3", 3)).toBe("budget_spent");
    expect(await pay(session, "4", 2)).toBe("done");
    expect(await pay(await session.delegate({ tools: { pay: {} } }), "5", 0)).toBe("budget_spent");
    expect(await look(session)).toBe("budget_spent");
    const records = await behest.records.list();
    const full = await behest.records.get(records.find(({ code }) => code === "break_glass")!.index);
    expect(full!.entries.action.findings.at(-2)).toEqual({
      check: "policy",
      code: "policy_denied",
      path: "policies.a.cedar#cap.limits.subtree policies.a.cedar#cap.limits.action",
      rule: "a.cedar#frozen",
    });
    await close();
  },
);

test("only what a policy permits is limited by it", async () => {
  const { session, close } = await opened("memory", {
    "a.cedar": `@id("one") @limit("1 call") permit(principal, action, resource) when { context.tool == "look" };`,
  });
  expect([await pay(session, "1"), await pay(session, "2")]).toEqual(["done", "done"]);
  expect([await look(session), await look(session)]).toEqual(["done", "budget_spent"]);
  await close();
});

test("what policies cannot be evaluated for does not go ahead", async () => {
  const { session, close } = await opened("memory", {
    "a.cedar": `@id("cap") @limit("1 call") permit(principal, action, resource);
@id("sum") forbid(principal, action == Action::"pay", resource) when { context.args.count * 9223372036854775807 < 0 };`,
    "tools.cedarschema": `action "pay" in [tool] appliesTo {
  principal: Agent, resource: Resource, context: { args: { to: String, amount: Long, count: Long } },
};`,
  });
  expect(await pay(session, "1", 1, { count: 1, to: 5 })).toBe("policy_denied");
  expect(await pay(session, "2", 1, { count: 2 })).toBe("policy_denied");
  expect(await pay(session, "3", 1, { count: 1 })).toBe("done");
  expect(await pay(session, "4", 1, { count: 1 })).toBe("budget_spent");
  expect(await pay(session, "5", 1, { count: 1, to: 5 })).toBe("policy_denied");
  await close();
});
