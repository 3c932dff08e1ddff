// What counting costs where everybody counts at one place.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Profile, type Session, sqliteStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { type Limits, issueDelegation } from "@behest/delegation";
import { type Figure, atLeast, median, wallOf } from "./figure.ts";

const SIBLINGS = 64;
const tools = { pay: {} };
const profiles: { readonly [tool: string]: Profile } = {
  pay: {
    effect: "irreversible",
    boundary: "outside",
    amount: ({ value }: { value: string }) => ({ value, currency: "EUR" }),
  },
};
const ROOMY: Limits = { calls: 1_000_000_000, amount: { EUR: "1000000000.00" } };

/**
 * 64 sub-agents of one root act at once on one durable store, their calls and amounts limited at the root (and, as a
 * child carries what its parent does, at each of them) ÷ the same with no limit anywhere; in turns.
 */
export async function budgetContention(): Promise<Figure> {
  const folder = mkdtempSync(join(process.env["BEHEST_BENCH_DIR"] ?? tmpdir(), "behest-budget-"));
  const behest = await testBehest({
    store: sqliteStore(join(folder, "log.sqlite")),
    profiles,
    policy: "grants-alone",
  });
  try {
    const siblings = async (limits?: Limits): Promise<Session[]> => {
      const { iss, signer } = behest.issuer;
      const claims = {
        issuer: iss,
        holder: behest.holder.jwk,
        principal: "alice",
        task: "t",
        tools,
      } as const;
      const issued = await issueDelegation({ ...claims, expiresIn: "1h", ...(limits && { limits }) }, signer);
      const root = await behest.open(issued);
      return Promise.all(Array.from({ length: SIBLINGS }, () => root.delegate({ tools })));
    };
    const [limited, free] = [await siblings(ROOMY), await siblings()];
    const burst = (sessions: readonly Session[], each: number): Promise<number> =>
      wallOf(() =>
        Promise.all(
          sessions.map(async (session) => {
            for (let i = 0; i < each; i++)
              await session.perform({ tool: "pay", args: { value: "0.01" } }, async () => "paid");
          }),
        ),
      );
    await burst(limited, 10);
    await burst(free, 10);
    const EACH = 20;
    const walls: [limited: number, free: number][] = [];
    for (let round = 0; round < 9; round++) {
      const first = round % 2 === 0 ? await burst(limited, EACH) : undefined;
      const without = await burst(free, EACH);
      walls.push([first ?? (await burst(limited, EACH)), without]);
    }
    const perSecond = (wall: number): number => Math.round((SIBLINGS * EACH) / (wall / 1000));
    return atLeast(
      "budget-contention",
      median(walls.map(([limited, free]) => free / limited)),
      "ratio",
      0.7,
      {
        "limited /s": perSecond(median(walls.map(([wall]) => wall))),
        "unlimited /s": perSecond(median(walls.map(([, wall]) => wall))),
      },
    );
  } finally {
    await behest.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
