import { type Frontier, appendSubtree, parseCheckpoint, rootOf, subtreesBetween } from "@behest/provenance";
import { expect } from "vitest";
import type { Engine } from "../../src/store/types.ts";
import type { Behaviour } from "./open-log.ts";

/** What lies beside the log: delegations, turns, content, principals, listings. */
export function rowConformance(behaviour: Behaviour): void {
  behaviour("a delegation is stored once", async ({ engine, deployment, delegation }) => {
    const again = await engine.append(deployment.root());
    expect(again).toMatchObject({ index: delegation.index, hash: delegation.hash, again: true });
    const { entry: _, ...row } = { ...deployment.root(), ...deployment.root().delegation };
    const stored = {
      index: delegation.index,
      hash: delegation.hash,
      jti: "root",
      leaf: row.delegation!.leaf,
    };
    expect(await engine.delegation("root")).toMatchObject(stored);
    expect(await engine.delegationOf(row.delegation!.leaf)).toMatchObject(stored);
    expect(await engine.delegation("nobody")).toBeUndefined();
    expect(await engine.entries(0, 10)).toHaveLength(2);
  });

  behaviour("a spawned jti is taken, for another token and for another request", async (log) => {
    const { engine, deployment, delegation } = log;
    const spawned = { leaf: "child", jti: "j", principal: "p1", request: "r", sealed: new Uint8Array(1) };
    const { entry } = deployment.interaction(delegation, "t");
    const place = await engine.append({ entry, delegation: spawned });
    expect(await engine.append({ entry, delegation: spawned })).toMatchObject({
      index: place.index,
      again: true,
    });
    const conflict = { code: "action_conflict" };
    await expect(engine.append({ entry, delegation: { ...spawned, leaf: "x" } })).rejects.toMatchObject(
      conflict,
    );
    await expect(engine.append({ entry, delegation: { ...spawned, request: "x" } })).rejects.toMatchObject(
      conflict,
    );
    expect(await engine.entries(0, 10)).toHaveLength(3);
  });

  behaviour("an issuer who chooses a spawned jti neither takes nor blocks it", async (log) => {
    const { engine, deployment, delegation } = log;
    const { entry } = deployment.interaction(delegation, "t");
    const root = { leaf: "rogue", jti: "j", principal: "p2", sealed: new Uint8Array(1) };
    const child = { leaf: "child", jti: "j", principal: "p1", request: "r", sealed: new Uint8Array(2) };
    await engine.append({ entry, delegation: root });
    expect(await engine.append({ entry, delegation: child })).not.toHaveProperty("again");
    expect(await engine.append({ entry, delegation: { ...root, leaf: "rogue 2" } })).not.toHaveProperty(
      "again",
    );
    expect(await engine.delegation("j")).toMatchObject({ leaf: "child" });
    expect(await engine.delegationOf("rogue")).toMatchObject({ leaf: "rogue", principal: "p2" });
  });

  behaviour("a denial that repeats is recorded once", async ({ engine, deployment, delegation }) => {
    const first = await engine.append(deployment.denial("a", delegation));
    const [second, third] = await Promise.all([
      engine.append(deployment.denial("a", delegation)),
      engine.append(deployment.denial("a", delegation)),
    ]);
    expect(second).toMatchObject({ index: first.index, hash: first.hash, again: true });
    expect(third).toEqual(second);
    expect(await engine.append(deployment.denial("b", delegation))).not.toHaveProperty("again");
    expect((await engine.records({ verdict: "deny" })).map(({ action }) => action)).toEqual(["a", "b"]);
  });

  behaviour("the first recording of a model turn stays until its run is forgotten", async (log) => {
    const { engine, deployment, delegation } = log;
    const first = deployment.interaction(delegation, "t");
    const placed = await engine.append(first);
    const second = { ...first, journal: { ...first.journal!, sealed: new Uint8Array([9]) } };
    expect(await engine.append(second)).toMatchObject({ index: placed.index, again: true });
    const turn = await engine.recall("run", "t");
    expect(turn).toMatchObject({ index: placed.index, hash: placed.hash });
    expect(Buffer.from(turn!.sealed).toString()).toBe("t");
    await engine.append(deployment.interaction(delegation, "u"));
    await engine.forget("another");
    expect(await engine.recall("run", "u")).toBeDefined();
    await engine.forget("run");
    expect(await engine.recall("run", "t")).toBeUndefined();
    expect(await engine.recall("run", "u")).toBeUndefined();
    expect(await engine.append(second)).not.toHaveProperty("again");
  });

  behaviour("a text is kept under its digest, and the first one stays", async ({ engine }) => {
    expect(await engine.document("digest")).toBeUndefined();
    await engine.keepDocument("digest", "text");
    await engine.keepDocument("digest", "another");
    expect(await engine.document("digest")).toBe("text");
  });

  behaviour(
    "a piece of content may be empty: its id says it all",
    async ({ engine, deployment, delegation }) => {
      const { entry } = deployment.interaction(delegation, "t");
      const piece = { id: "term:x", principal: "p1", sealed: new Uint8Array() };
      const { index } = await engine.append({ entry, content: [piece] });
      expect(await engine.content(index)).toMatchObject([{ id: "term:x", principal: "p1" }]);
    },
  );

  behaviour("entries of trust are found again", async ({ engine }) => {
    expect(await engine.recorded("trust:")).toEqual([0]);
  });

  behaviour(
    "of cosigned checkpoints the one of the longest log is kept",
    async ({ engine, deployment, delegation }) => {
      expect(await engine.cosigned()).toBeUndefined();
      const first = await engine.checkpoint();
      await engine.keepCosigned(first);
      expect(await engine.cosigned()).toBe(first);
      await engine.append(deployment.denial("d", delegation));
      const second = await engine.checkpoint();
      await engine.keepCosigned(second);
      await engine.keepCosigned(first);
      expect(await engine.cosigned()).toBe(second);
      const line = second.trimEnd().split("\n").at(-1)!;
      await engine.keepCosigned(`${second}${line}\n`);
      expect(await engine.cosigned()).toBe(`${second}${line}\n`);
    },
  );

  behaviour("the subtrees between what is shown make up the log with it", async (log) => {
    const { engine, deployment, delegation } = log;
    for (let i = 0; i < 21; i++) await engine.append(deployment.denial(`d${i}`, delegation));
    const { size, root } = parseCheckpoint(await engine.checkpoint());
    const places = [...subtreesBetween(0, 13), ...subtreesBetween(13, size)];
    const hashes = await engine.subtrees(places);
    let frontier: Frontier = [];
    let at = 0;
    for (const [i, { level }] of places.entries()) {
      frontier = appendSubtree(frontier, at, { level, hash: hashes[i]! }).frontier;
      at += 2 ** level;
    }
    expect(Buffer.from(rootOf(frontier))).toEqual(Buffer.from(root));
  });

  behaviour("content and turns are gone at their time", async ({ engine, deployment, delegation }) => {
    const turn = deployment.interaction(delegation, "t");
    const sealed = new Uint8Array([7]);
    const past = Date.now() - 1;
    const kept = [
      { id: "a", principal: "p1", sealed },
      { id: "b", principal: "p1", sealed, until: Date.now() + 60_000 },
    ];
    const content = [...kept, { id: "past", principal: "p1", sealed, until: past }];
    const { index } = await engine.append({ ...turn, journal: { ...turn.journal!, until: past }, content });
    expect(await engine.recall("run", "t")).toBeUndefined();
    expect(await engine.content(index)).toEqual(kept);
    expect(await engine.content(index + 1)).toEqual([]);
    // Its time over, the turn makes room for another.
    expect(
      await engine.append({ ...turn, content: [{ ...kept[0]!, sealed: new Uint8Array([8]) }] }),
    ).not.toHaveProperty("again");
    expect(await engine.content(index)).toEqual(kept);
  });

  behaviour("a principal has one random name, both ways", async ({ engine }) => {
    const [a, again] = await Promise.all([
      engine.principal("iss", "alice"),
      engine.principal("iss", "alice"),
    ]);
    expect(again).toEqual(a);
    expect(await engine.principal("iss", "alice")).toEqual(a);
    expect(a.key).toHaveLength(32);
    // Pairs, not texts put together.
    const others = [await engine.principal("iss", "bob"), await engine.principal("issa", "lice")];
    expect(new Set([a, ...others].map((row) => row.pseudonym)).size).toBe(3);
    expect(await engine.subject(a.pseudonym)).toEqual({ issuer: "iss", subject: "alice", key: a.key });
    expect(await engine.subject("nobody")).toBeUndefined();
  });

  behaviour("a principal that its caller has named is there for what comes after, once", async (log) => {
    const { engine, deployment, delegation } = log;
    const key = new Uint8Array(32).fill(7);
    const named = { issuer: "iss", subject: "dora", pseudonym: "drawn", key };
    const registered = engine.register(named);
    const [, row] = await Promise.all([
      engine.append(deployment.denial("a", delegation)),
      engine.principal("iss", "dora"),
      registered,
    ]);
    expect(row).toEqual({ pseudonym: "drawn", key });
    expect(await engine.subject("drawn")).toEqual({ issuer: "iss", subject: "dora", key });
    for (const taken of [named, { ...named, pseudonym: "other" }, { ...named, subject: "eve" }]) {
      const [refused, kept] = await Promise.allSettled([
        engine.register(taken),
        engine.append(deployment.denial(taken.pseudonym + taken.subject, delegation)),
      ]);
      expect(refused).toMatchObject({ status: "rejected", reason: { code: "store_failed" } });
      expect(kept).toMatchObject({ status: "fulfilled" });
    }
    expect(await engine.subject("drawn")).toEqual({ issuer: "iss", subject: "dora", key });
    expect(await engine.subject("other")).toBeUndefined();
  });

  behaviour(
    "a record of what was observed names no delegation",
    async ({ engine, deployment, delegation }) => {
      const { record, ...denial } = deployment.denial("a", delegation);
      const { delegation: _, ...observed } = record!;
      await engine.append({ ...denial, record: observed });
      const [found] = await engine.records({});
      expect(found).not.toHaveProperty("delegation");
      expect(found).toMatchObject({ action: "a", principal: "p1" });
    },
  );

  behaviour("records are found by what they are, in log order, the latest within a limit", async (log) => {
    const { engine, deployment, delegation } = log;
    const add = async (action: string, session: string, tool: string, at: number) => {
      const denial = deployment.denial(action, delegation);
      const record = { ...denial.record!, session, tool, at, agent: new Uint8Array([1, 2]), interaction: 1 };
      await engine.append({ ...denial, record });
    };
    await add("1", "s", "pay", 10);
    await add("2", "s.c", "pay", 20);
    await add("3", "s/c", "read", 30);
    await add("4", "sx", "read", 40);
    const found = async (filter: Parameters<Engine["records"]>[0]) =>
      (await engine.records(filter)).map(({ action }) => action).join("");
    expect(await found({})).toBe("1234");
    expect(await found({ session: "s" })).toBe("12");
    expect(await found({ tool: "pay", principal: "p1" })).toBe("12");
    expect(await found({ principal: "p2" })).toBe("");
    expect(await found({ since: 20, until: 30 })).toBe("23");
    expect(await found({ limit: 3 })).toBe("234");
    expect(await found({ tool: "read", limit: 1 })).toBe("4");
    expect(await found({ limit: 0 })).toBe("");
    expect(await found({ tool: "pay' OR 1=1 --" })).toBe("");
    const [, second] = await engine.records({});
    expect(await engine.records({ index: second!.index })).toEqual([second]);
    expect(second).toMatchObject({ action: "2", agent: new Uint8Array([1, 2]), interaction: 1, at: 20 });
    expect(second).not.toHaveProperty("outcome");
  });

  behaviour(
    "an id is spent once, also by many at once, and one whose time is over not at all",
    async (log) => {
      const { engine } = log;
      const until = Date.now() + 60_000;
      const answers = await Promise.all(Array.from({ length: 16 }, () => engine.spend("a", until)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await engine.spend("a", until + 60_000)).toBe(false);
      expect(await engine.spend("b", until)).toBe(true);
      expect(await engine.spend("c", Date.now() - 1)).toBe(false);
      expect(await engine.entries(0, 10)).toHaveLength(2);
    },
  );

  behaviour("how tools were met is remembered", async ({ engine }) => {
    engine.seen([{ tool: "pay", kind: "wrapped", declared: true, at: 1 }]);
    engine.seen([
      { tool: "pay", kind: "wrapped", declared: false, at: 2 },
      { tool: "pay", kind: "unwrapped", declared: false, at: 3 },
    ]);
    expect(new Set(await engine.coverage())).toEqual(
      new Set([
        { tool: "pay", kind: "wrapped", declared: false, at: 2 },
        { tool: "pay", kind: "unwrapped", declared: false, at: 3 },
      ]),
    );
  });
}
