import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type CutTarget, signCut } from "../index.ts";
import { testBehest } from "../testing.ts";
import type { Session } from "../types.ts";

const tools = { read: { "*": { constraint_type: "wildcard" } } } as const;

/** A tree: for each session but the first of all, the number of its parent below it; negative: a root of its own. */
const trees = fc
  .array(fc.tuple(fc.integer({ min: -2, max: 20 }), fc.integer({ min: 0, max: 3 })), {
    minLength: 2,
    maxLength: 14,
  })
  .map((nodes) =>
    nodes.map(([parent, name], i) => ({ parent: i === 0 || parent < 0 ? -1 : parent % i, name })),
  );

test("exactly the descendants of what is cut stop, in any tree, and 0 others", async () => {
  await fc.assert(
    fc.asyncProperty(
      trees,
      fc.nat(),
      fc.constantFrom("agent", "delegation", "principal"),
      async (tree, pick, kind) => {
        await using behest = await testBehest({ policy: "grants-alone" });
        const sessions: Session[] = [];
        const jtis: string[] = [];
        for (const [i, { parent, name }] of tree.entries()) {
          const agent = `agent-${name}`;
          const up = sessions[parent];
          const session = up
            ? await up.delegate({ agent, tools })
            : await behest.as(`person-${name % 2}`, tools, { agent: "root" });
          sessions.push(session);
          const verdict = await session.authorize({ tool: "read", args: {} });
          jtis.push(verdict.findings.find(({ check }) => check === "lineage")!.rule!);
          expect(jtis[i]).toBeTruthy();
        }
        const chosen = pick % tree.length;
        const node = tree[chosen]!;
        const isHit = (i: number): boolean => {
          const { parent, name } = tree[i]!;
          if (kind === "delegation") return i === chosen;
          if (kind === "principal")
            return parent < 0 && sessions[i]!.principal === sessions[chosen]!.principal;
          return parent >= 0 && node.parent >= 0 && name === node.name;
        };
        const isBelow = (i: number): boolean =>
          isHit(i) || (tree[i]!.parent >= 0 && isBelow(tree[i]!.parent));
        const target: CutTarget =
          kind === "delegation"
            ? { delegation: jtis[chosen]! }
            : kind === "principal"
              ? { principal: sessions[chosen]!.principal }
              : { agent: node.parent >= 0 ? `agent-${node.name}` : "nobody" };
        await behest.revoke(await signCut(target, { reason: "r" }, behest.revoker));
        for (const [i, session] of sessions.entries()) {
          const stops = isBelow(i);
          expect(session.signal.aborted).toBe(stops);
          const done = session.perform({ tool: "read", args: {} }, async () => 1);
          if (stops) await expect(done).rejects.toMatchObject({ code: "revoked" });
          else expect(await done).toMatchObject({ outcome: "done" });
        }
      },
    ),
    { numRuns: 40 },
  );
});
