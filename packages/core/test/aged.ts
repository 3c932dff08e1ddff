import { generateHolder, issueDelegation } from "@behest/delegation";
import { type LogReport, parseCheckpoint, verifyLog } from "@behest/provenance";
import { liveOf } from "../src/session/session.ts";
import { openTurn } from "../src/turn/turn.ts";
import { readStore } from "../src/record/reader.ts";
import { memoryStore } from "../src/store/memory.ts";
import type { Store } from "../src/store/types.ts";
import { type TestBehest, testBehest } from "../src/testing.ts";
import type { OpenOptions, Session } from "../src/types.ts";

export const DAY = 86_400_000;
export const TOOLS = {
  pay: { "*": { constraint_type: "wildcard" } },
  read: { "*": { constraint_type: "wildcard" } },
} as const;

/** A deployment in memory whose clock is the test's. */
export class Aged {
  now: number;
  readonly store: Store = memoryStore({ now: () => this.now });
  behest!: TestBehest;

  private constructor(now: number) {
    this.now = now;
  }

  static async make(
    config: Parameters<typeof testBehest>[0] = {},
    now: number = Date.parse("2026-01-01T00:00:00.000Z"),
  ): Promise<Aged> {
    const made = new Aged(now);
    made.behest = await testBehest({
      store: made.store,
      clock: () => made.now,
      content: "keep",
      entryKeyLifetime: 400 * 86_400,
      ...config,
    });
    return made;
  }

  later(days = 190): void {
    this.now += days * DAY;
  }

  /** As far as it may be by the default retention. */
  get allOld(): { readonly before: number } {
    return { before: this.now - 185 * DAY };
  }

  /** A session of a delegation that is as old as this, with a name that lasts. */
  async open(principal: string, expiresIn: "1h" | "90d", options: OpenOptions = {}): Promise<Session> {
    const { issuer } = this.behest;
    const holder = await generateHolder();
    const claims = { issuer: issuer.iss, holder: holder.jwk, principal, task: "t", tools: TOOLS } as const;
    const dated = { ...claims, expiresIn, maxDepth: 4, now: Math.floor(this.now / 1000) };
    return this.behest.open(await issueDelegation(dated, issuer.signer), { holder, ...options });
  }

  async report(): Promise<LogReport> {
    const reader = readStore(this.store);
    const checkpoint = await reader.checkpoint();
    return verifyLog({ entries: reader.log(), whole: true, checkpoint, owner: this.behest.owner });
  }

  async size(): Promise<number> {
    return parseCheckpoint(await readStore(this.store).checkpoint()).size;
  }
}

export function pay(session: Session, callId?: string): Promise<unknown> {
  return session.perform({ tool: "pay", args: { n: 1 }, ...(callId && { callId }) }, async () => "paid");
}

/** A turn of the name `t1` that chose these calls. */
export async function turn(session: Session, calls: readonly string[] = []): Promise<void> {
  const opened = await openTurn(liveOf(session)!, { messages: [calls.join()], json: () => null });
  await opened.record({
    id: "t1",
    model: "m",
    provider: "p",
    tools: [],
    response: "r",
    calls: calls.map((callId) => ({ callId, tool: "pay" })),
  });
}
