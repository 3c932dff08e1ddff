import { type Json, canonical, sha256Text } from "@behest/jws";
import { expect } from "vitest";
import { ACCESS, HOLD, RELEASE } from "../../src/store/erasure.ts";
import type { Engine, Erase } from "../../src/store/types.ts";
import { chargeOf } from "./charges.ts";
import { type Behaviour, placedOf } from "./open-log.ts";

const DAY = 86_400_000;
const ALICE = { issuer: "iss", subject: "alice", pseudonym: "p1", key: new Uint8Array(32).fill(7) };

/** Members that are undefined are left out. */
export function erasureDraft(change: object): string {
  const entry = {
    v: 1,
    type: "erasure",
    at: new Date().toISOString(),
    kind: "principal",
    principals: ["p1"],
    content: { reason: sha256Text("reason") },
    links: {},
    ...change,
  };
  return canonical(JSON.parse(JSON.stringify(entry)) as Json);
}

/** Of p1, whatever its age. */
export function erasing(change: Partial<Erase> = {}): Erase {
  return {
    principals: ["p1"],
    entry: erasureDraft({}),
    early: erasureDraft({ early: true }),
    retention: 184 * DAY,
    ...change,
  };
}

/** What erasure destroys, and what it leaves. */
export function erasureConformance(behaviour: Behaviour, swept: boolean): void {
  behaviour("erasing destroys the key, the names and all that is sealed, and leaves the log", async (log) => {
    const { engine, deployment, delegation } = log;
    await engine.register(ALICE);
    const bob = await engine.principal("iss", "bob");
    const sealed = new Uint8Array([1, 2, 3]);
    const of = (principal: string) => [{ id: `c-${principal}`, principal, sealed }];
    const begin = deployment.begin("a", delegation, {
      charges: [chargeOf("c", "12.50", "100")],
      content: of("p1"),
    });
    const begun = placedOf(await engine.begin(begin));
    await engine.finish(deployment.finish(begin, begun, { content: of("p1"), result: "c-p1" }));
    const asked = await engine.append({
      ...deployment.denial("b", delegation),
      approval: {
        id: "b",
        kind: "ask",
        args: "x",
        principal: "p1",
        run: "r",
        sealed,
        expires: Date.now() + DAY,
      },
      content: of("p1"),
    });
    const turn = await engine.append({ ...deployment.interaction(delegation, "t"), content: of("p1") });
    const theirs = await engine.append({
      ...deployment.interaction(delegation, "u"),
      principal: bob.pseudonym,
      content: of(bob.pseudonym),
      journal: { run: "r2", key: "u", sealed, principal: bob.pseudonym, until: Date.now() + DAY },
    });
    const size = theirs.index + 1;

    const done = await engine.erase(erasing());
    expect(done).toMatchObject({ erased: "done", early: true, placed: { index: size }, swept });

    expect(await engine.subject("p1")).toBeUndefined();
    expect(await engine.named("alice")).toEqual([]);
    expect(await engine.named("bob")).toEqual([{ pseudonym: bob.pseudonym, issuer: "iss" }]);
    for (const index of [begun.index, begun.index + 1, asked.index, turn.index])
      expect(await engine.content(index)).toEqual([]);
    expect(await engine.content(theirs.index)).toEqual(of(bob.pseudonym));
    expect(await engine.recall("run", "t")).toBeUndefined();
    expect(await engine.recall("r2", "u")).toBeDefined();
    expect(await engine.delegation("root")).toMatchObject({
      index: delegation.index,
      sealed: new Uint8Array(),
    });
    expect(await engine.approval("b")).toMatchObject({ sealed: new Uint8Array() });
    expect(await engine.held(["c"])).toEqual(["0"]);
    const records = await engine.records({ principal: "p1" });
    expect(records.map(({ action, agent }) => [action, agent.length])).toEqual([
      ["a", 0],
      ["b", 0],
    ]);
    expect(await engine.entries(0, 100)).toHaveLength(size + 1);
    expect(await engine.principal("iss", "bob")).toEqual(bob);
  });

  behaviour("nothing more is written in the name of somebody who was erased", async (log) => {
    const { engine, deployment, delegation } = log;
    await engine.register(ALICE);
    const begin = deployment.begin("a", delegation);
    await engine.erase(erasing());
    const before = (await engine.entries(0, 100)).length;
    const refused = { code: "principal_erased" };
    const sealed = new Uint8Array([9]);
    const { entry } = deployment.interaction(delegation, "t");
    const spawn = { action: "s", args: "x", attempt: 1, repeatable: true, expires: Date.now() + DAY };
    const approval = {
      id: "m",
      kind: "mandate",
      args: "x",
      principal: "p1",
      sealed,
      expires: Date.now() + DAY,
    } as const;
    await expect(engine.begin(begin)).rejects.toMatchObject(refused);
    await expect(engine.begin({ ...spawn, principal: "p1" })).rejects.toMatchObject(refused);
    await expect(engine.append(deployment.denial("b", delegation))).rejects.toMatchObject(refused);
    await expect(engine.append(deployment.interaction(delegation, "t"))).rejects.toMatchObject(refused);
    await expect(engine.append({ entry, principal: "p1" })).rejects.toMatchObject(refused);
    await expect(
      engine.append({ entry, content: [{ id: "i", principal: "p1", sealed }] }),
    ).rejects.toMatchObject(refused);
    await expect(engine.append({ entry, approval })).rejects.toMatchObject(refused);
    await expect(engine.append({ ...deployment.root(), entry })).rejects.toMatchObject(refused);
    await expect(engine.register(ALICE)).rejects.toMatchObject(refused);
    expect(await engine.entries(0, 100)).toHaveLength(before);
    expect(await engine.erase(erasing())).toEqual({ erased: "refused", code: "principal_unknown" });
  });

  behaviour("a neighbour of what is refused is written, in the same breath as an erasure", async (log) => {
    const { engine, deployment, delegation } = log;
    await engine.register(ALICE);
    const of = (action: string, principal: string) => {
      const begin = deployment.begin(action, delegation);
      return { ...begin, record: { ...begin.record!, principal } };
    };
    const answers = await Promise.allSettled([
      engine.begin(of("before", "p1")),
      engine.erase(erasing()),
      engine.begin(of("after", "p1")),
      engine.append(deployment.denial("denied", delegation)),
      engine.spend("another", Date.now() + DAY),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
  });

  behaviour("an attempt that had begun ends after the erasure, and leaves no content", async (log) => {
    const { engine, deployment, delegation } = log;
    await engine.register(ALICE);
    const begin = deployment.begin("a", delegation);
    const begun = placedOf(await engine.begin(begin));
    await engine.erase(erasing());
    const content = [{ id: "r", principal: "p1", sealed: new Uint8Array([4]) }];
    const ended = await engine.finish(deployment.finish(begin, begun, { content, result: "r" }));
    expect(ended).toMatchObject({ finished: "ended" });
    expect(await engine.content(placedOf(ended).index)).toEqual([]);
    expect(await engine.records({})).toMatchObject([{ action: "a", outcome: "done" }]);
  });

  behaviour("who comes back is somebody else, and what was delegated before stays closed", async (log) => {
    const { engine, deployment } = log;
    await engine.register(ALICE);
    await engine.erase(erasing());
    const again = await engine.principal("iss", "alice");
    expect(again.pseudonym).not.toBe("p1");
    expect(again.key).not.toEqual(ALICE.key);
    const root = deployment.root();
    const old = { ...root.delegation!, principal: again.pseudonym };
    await expect(engine.append({ ...root, delegation: old })).rejects.toMatchObject({
      code: "principal_erased",
    });
    expect(await engine.named("alice")).toEqual([{ pseudonym: again.pseudonym, issuer: "iss" }]);
  });

  behaviour("what is younger than is kept is not erased, unless its entry says that it was", async (log) => {
    const { engine, deployment, delegation } = log;
    await engine.register(ALICE);
    await engine.append(deployment.denial("a", delegation));
    const { early: _, ...patient } = erasing();
    const refused = await engine.erase(patient);
    expect(refused).toMatchObject({ erased: "refused", code: "retained" });
    const { until } = refused as { until: number };
    // A day more than the retention, from the latest entry on.
    expect(Math.abs(until - Date.now() - 185 * DAY)).toBeLessThan(60_000);
    expect(await engine.subject("p1")).toBeDefined();
    expect(
      await engine.erase({ ...patient, entry: erasureDraft({ early: true }), retention: 0 }),
    ).toMatchObject({ erased: "done", early: false });
  });

  behaviour("a machine whose clock is behind makes nothing older than it is", async (log) => {
    const { engine, deployment, delegation } = log;
    await engine.register(ALICE);
    await engine.append(deployment.denial("a", delegation));
    const { entry, record, ...late } = deployment.denial("b", delegation);
    // As far behind as its certificate lets it be.
    const at = Date.now() - 55_000;
    const said = { ...(JSON.parse(entry) as object), at: new Date(at).toISOString() };
    await engine.append({ ...late, entry: canonical(said as Json), record: { ...record!, at } });
    const { early: _, ...patient } = erasing({ retention: 25_000 });
    expect(await engine.erase(patient)).toMatchObject({ erased: "refused", code: "retained" });
  });

  behaviour("who was shown something is kept as long as what was shown", async ({ engine }) => {
    const { early: _, ...patient } = erasing();
    for (const pseudonym of ["p10", "p100"])
      await engine.register({ ...ALICE, subject: pseudonym, pseudonym });
    const access = { at: new Date().toISOString(), by: "p10", content: {}, links: {}, principals: [] };
    const entry = canonical({ ...access, type: "access", v: 1, what: "records" });
    await engine.append({ entry, principal: "p10", once: `${ACCESS}p10:x` });
    const of = (one: string) => ({
      ...patient,
      principals: [one],
      entry: erasureDraft({ principals: [one] }),
    });
    expect(await engine.erase(of("p10"))).toMatchObject({ code: "retained" });
    expect(await engine.erase(of("p100"))).toMatchObject({ erased: "done", early: false });
  });

  behaviour("of whom nothing was recorded, nothing is retained", async ({ engine }) => {
    await engine.register({ ...ALICE, pseudonym: "p2" });
    const entry = erasureDraft({ principals: ["p2"] });
    const { early: _, ...patient } = erasing({ principals: ["p2"], entry });
    expect(await engine.erase(patient)).toMatchObject({ erased: "done", early: false });
  });

  behaviour("under a hold nobody is erased whom it is about, until it is released", async ({ engine }) => {
    await engine.register(ALICE);
    const hold = (change: object) => erasureDraft({ kind: "hold", ...change });
    const everybody = await heldBy(engine, hold({ principals: undefined }));
    const alice = await heldBy(engine, hold({ principals: ["p0", "p1"] }));
    await heldBy(engine, hold({ principals: ["p2"] }));
    for (const placed of [everybody, alice]) {
      expect(await engine.erase(erasing())).toEqual({ erased: "refused", code: "on_hold" });
      expect(await engine.erase(erasing({ retention: 0 }))).toEqual({ erased: "refused", code: "on_hold" });
      const entry = erasureDraft({ kind: "release", principals: undefined, links: { hold: placed } });
      await engine.append({ entry, once: RELEASE + placed });
    }
    expect(await engine.erase(erasing())).toMatchObject({ erased: "done" });
  });
}

async function heldBy(engine: Engine, entry: string): Promise<string> {
  const placed = await engine.append({ entry, once: HOLD + sha256Text(entry) });
  return placed.hash;
}
