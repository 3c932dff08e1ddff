// What counting costs where everybody counts at one place, and that nobody overspends there.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Profile, type Session, BehestError, sqliteStore } from "@behest/core";
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

/** Room for all that is measured; for 600 payments of a cent; and where nothing is counted. */
type Room = "roomy" | "tight" | "free";
const ROOM = 600;
const LIMITS: { readonly [room in Room]?: Limits } = {
  roomy: { calls: 1_000_000_000, amount: { EUR: "1000000000.00" } },
  tight: { calls: 1_000_000_000, amount: { EUR: (ROOM / 100).toFixed(2) } },
};
const POLICIES = (["roomy", "tight", "free"] as const)
  .map((room) => {
    const { calls, amount } = LIMITS[room] ?? {};
    const limit = amount ? `@limit("${calls} calls, ${amount["EUR"]} EUR per subtree")` : "";
    return `@id("${room}") ${limit} permit(principal, action, resource) when { context has task && context.task == "${room}" };`;
  })
  .join("\n");

/** Limits at the root (and, as a child carries what its parent does, at each of them). */
export function budgetContention(): Promise<Figure> {
  return contention("budget-contention", "delegation");
}

/** Limits of a policy, counted for all of them at the root. */
export function budgetContentionPolicy(): Promise<Figure> {
  return contention("budget-contention-policy", "policy");
}

/**
 * 64 sub-agents of one root act at once on one durable store, their calls and amounts limited together ÷ the same with
 * no limit anywhere; in turns. Then they try to spend more than there is, all at once: what ran is counted.
 */
async function contention(id: string, by: "delegation" | "policy"): Promise<Figure> {
  const folder = mkdtempSync(join(process.env["BEHEST_BENCH_DIR"] ?? tmpdir(), "behest-budget-"));
  writeFileSync(join(folder, "a.cedar"), POLICIES);
  const store = sqliteStore(join(folder, "log.sqlite"));
  const policy = by === "policy" ? folder : "grants-alone";
  const behest = await testBehest({ store, profiles, policy });
  try {
    const siblings = async (room: Room): Promise<Session[]> => {
      const { iss, signer } = behest.issuer;
      const limits = by === "delegation" ? LIMITS[room] : undefined;
      const claims = {
        issuer: iss,
        holder: behest.holder.jwk,
        principal: "alice",
        task: room,
        tools,
      } as const;
      const issued = await issueDelegation({ ...claims, expiresIn: "1h", ...(limits && { limits }) }, signer);
      const root = await behest.open(issued);
      return Promise.all(Array.from({ length: SIBLINGS }, () => root.delegate({ tools, task: room })));
    };
    const pay = (session: Session, paid: () => void = () => {}): Promise<unknown> =>
      session.perform({ tool: "pay", args: { value: "0.01" } }, async () => paid());
    const [roomy, free] = [await siblings("roomy"), await siblings("free")];
    const burst = (sessions: readonly Session[], each: number): Promise<number> =>
      wallOf(() =>
        Promise.all(
          sessions.map(async (session) => {
            for (let i = 0; i < each; i++) await pay(session);
          }),
        ),
      );
    await burst(roomy, 10);
    await burst(free, 10);
    const EACH = 20;
    const walls: [limited: number, free: number][] = [];
    for (let round = 0; round < 9; round++) {
      const first = round % 2 === 0 ? await burst(roomy, EACH) : undefined;
      const without = await burst(free, EACH);
      walls.push([first ?? (await burst(roomy, EACH)), without]);
    }
    const ran = await overspend(await siblings("tight"), pay);
    const perSecond = (wall: number): number => Math.round((SIBLINGS * EACH) / (wall / 1000));
    return atLeast(id, median(walls.map(([limited, without]) => without / limited)), "ratio", 0.7, {
      "limited /s": perSecond(median(walls.map(([wall]) => wall))),
      "unlimited /s": perSecond(median(walls.map(([, wall]) => wall))),
      [`ran of ${ROOM} that there was room for`]: ran,
    });
  } finally {
    await behest.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ten payments of each at once, 40 more than there is room for: throws unless exactly those are refused. */
async function overspend(
  siblings: readonly Session[],
  pay: (session: Session, paid: () => void) => Promise<unknown>,
): Promise<number> {
  let ran = 0;
  const tries = siblings.flatMap((session) => Array.from({ length: 10 }, () => pay(session, () => ran++)));
  const refused = (await Promise.allSettled(tries)).flatMap((one): unknown[] =>
    one.status === "rejected" ? [one.reason] : [],
  );
  const isSpent = (error: unknown): boolean => BehestError.isInstance(error) && error.code === "budget_spent";
  if (ran !== ROOM || refused.length !== tries.length - ROOM || !refused.every(isSpent))
    throw new Error(
      `${ran} payments ran and ${refused.length} were refused, where there was room for ${ROOM}`,
    );
  return ran;
}
