import { canonical } from "@behest/jws";
import { expect, test } from "vitest";
import { Estate, any, pay } from "../../test/estate.ts";
import { HOUR, approvals, mandated, no, small, yes } from "../../test/mandated.ts";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { signersOf } from "./ahead.ts";
import { vaultOf } from "../record/content.ts";
import type { Deployment } from "../deployment.ts";
import { type Mandate, type MandateRequest, draftMandate, signMandate } from "./mandate.ts";

test("what nobody may sign is refused, and so is what is not as it is shown", async () => {
  const { estate, behest, delegation, session, mandate, close } = await mandated();
  const invalid = { code: "approval_invalid" };
  const { cfo, counsel } = estate.people;
  for (const by of [counsel, estate.holder])
    await expect(behest.approvals.submitAhead(await signMandate(mandate, yes, by))).rejects.toMatchObject(
      invalid,
    );
  const signed = await signMandate(mandate, yes, cfo);
  const wider: Mandate = { ...mandate, constraints: any };
  await expect(signMandate(wider, yes, cfo)).rejects.toMatchObject(invalid);
  for (const other of [wider, { ...mandate, about: { ...mandate.about, count: 99 } }, {} as Mandate])
    await expect(behest.approvals.submitAhead({ ...signed, mandate: other })).rejects.toMatchObject(invalid);
  const unmet = draftMandate({
    delegation: await estate.delegate(),
    tool: "pay",
    constraints: small,
    count: 1,
    group: "finance",
    expires: estate.time.now + HOUR,
  });
  await expect(behest.approvals.submitAhead(await signMandate(unmet, yes, cfo))).rejects.toMatchObject({
    code: "approval_missing",
  });
  const request = { delegation, tool: "pay", constraints: small, count: 1, group: "finance", expires: 1e12 };
  const wrong: readonly Partial<MandateRequest>[] = [
    { constraints: {} },
    { constraints: { to: { constraint_type: "none" } } },
    { count: 0 },
    { count: 1.5 },
    { amount: { EUR: "-1" } },
    { amount: { euros: "1" } },
    { delegation: "x" },
  ];
  for (const bad of wrong)
    expect(() => draftMandate({ ...request, ...bad })).toThrow(expect.objectContaining(invalid));
  expect(await pay(session, "1")).toBe("approval_needed");
  await close();
});

test("terms that were swapped in the store, by somebody who can seal them, grant nothing", async () => {
  const { estate, session, mandate, sign, close } = await mandated();
  await sign();
  const { engine } = estate;
  const [row] = await engine.ahead({ since: 0 });
  const { key } = (await engine.subject(row!.principal))!;
  const vault = vaultOf(row!.principal, key);
  const swapped = [
    { ...mandate, constraints: any },
    { ...mandate, about: { ...mandate.about, count: 99 } },
    draftMandate({
      delegation: await estate.delegate(),
      tool: "pay",
      constraints: any,
      count: 99,
      group: "finance",
      expires: estate.time.now + HOUR,
    }),
  ];
  const read = engine.ahead.bind(engine);
  for (const [i, other] of swapped.entries()) {
    engine.ahead = async (filter) =>
      (await read(filter)).map((one) => ({ ...one, sealed: vault.seal(one.id, "ahead", canonical(other)) }));
    expect(await pay(session, `${i}`)).toBe("approval_needed");
  }
  engine.ahead = read;
  expect(await pay(session, "9")).toBe("done");
  await close();
});

test("a signer whom the manifest no longer names grants nothing; a denial by one stands", async () => {
  const { estate, mandate, sign, close } = await mandated();
  await sign();
  const { engine } = estate;
  const [row] = await engine.ahead({ since: 0 });
  const manifestOf = (approvers: object[]): Deployment =>
    ({ engine, clock: () => estate.time.now, manifest: { approvers } }) as unknown as Deployment;
  const cfo = { group: "finance", person: "cfo", jwk: estate.people.cfo.jwk };
  const chain = new Set<string>();
  expect(await signersOf(manifestOf([cfo]), row!, mandate, chain)).toHaveLength(1);
  expect(await signersOf(manifestOf([]), row!, mandate, chain)).toEqual([]);
  expect(await signersOf(manifestOf([{ ...cfo, until: 1 }]), row!, mandate, chain)).toEqual([]);
  expect(await signersOf(manifestOf([{ ...cfo, group: "legal" }]), row!, mandate, chain)).toEqual([]);
  expect(await signersOf(manifestOf([cfo]), row!, mandate, new Set([cfo.jwk.x]))).toEqual([]);
  await sign(estate.people.clerk, no);
  const [ended] = await engine.ahead({ since: 0 });
  expect(await signersOf(manifestOf([cfo]), ended!, mandate, chain)).toEqual([]);
  await close();
});

test("a withdrawn signer grants nothing to the processes of the next manifest", async () => {
  using estate = await Estate.make("sqlite");
  const delegation = await estate.delegate({ approvals });
  const before = await estate.open();
  const session = await before.open(delegation, { run: "r" });
  const terms = { tool: "pay", constraints: small, count: 9, expires: estate.time.now + HOUR };
  const mandate = draftMandate({ delegation, group: "finance", ...terms });
  await before.approvals.submitAhead(await signMandate(mandate, yes, estate.people.cfo));
  expect(await pay(session, "1")).toBe("done");
  await before.close();
  await estate.withdraw("cfo");
  await using after = await estate.open();
  expect(await pay(await after.open(delegation, { run: "r" }), "2")).toBe("approval_needed");
  expect(await estate.objections()).toEqual([]);
});

test("a mandate is for the policies that it names: others end it", async () => {
  using estate = await Estate.make("sqlite");
  const ask = `permit(principal, action, resource);
    @ask("group:finance") @reason("it pays.") forbid(principal, action, resource) when { context.tool == "pay" };`;
  using a = new PolicyFolder({ "a.cedar": ask });
  using b = new PolicyFolder({ "a.cedar": ask, "b.cedar": "permit(principal, action, resource);" });
  const delegation = await estate.delegate();
  const first = await estate.open({ policy: a.path });
  const session = await first.open(delegation, { run: "r" });
  await pay(session, "0");
  const policy = (await first.approvals.list())[0]!.about.policy!;
  const terms = { tool: "pay", constraints: small, count: 9, expires: estate.time.now + HOUR };
  const unbound = draftMandate({ delegation, group: "finance", ...terms });
  await first.approvals.submitAhead(await signMandate(unbound, yes, estate.people.cfo));
  expect(await pay(session, "1")).toBe("approval_needed");
  const bound = draftMandate({ delegation, group: "finance", policy, ...terms });
  await first.approvals.submitAhead(await signMandate(bound, yes, estate.people.cfo));
  expect(await pay(session, "2")).toBe("done");
  await first.close();
  await using second = await estate.open({ policy: b.path });
  expect(await pay(await second.open(delegation, { run: "r" }), "3")).toBe("approval_needed");
  expect(await estate.objections()).toEqual([]);
});
