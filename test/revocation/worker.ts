// A process with agents of many persons; says when each of them stops.
import { BehestError, type Session, createBehest, sqliteStore } from "@behest/core";
import { type Delegation, holderOf } from "@behest/delegation";
import { type PrivateJwk, signerOf } from "@behest/jws";
import { postgresFeed } from "@behest/postgres";
import { aiSdk, langchain } from "./agents.ts";

export interface Work {
  readonly path: string;
  readonly feed: string | undefined;
  readonly trust: { readonly owner: string; readonly manifest: string };
  readonly enforcer: PrivateJwk;
  readonly holder: PrivateJwk;
  readonly delegations: readonly Delegation[];
  readonly framework: "langchain" | "ai-sdk";
}

/** `ready` once the tools of all sessions have begun; else that one has stopped, at ns of the machine's steady clock. */
export type Said =
  | { readonly ready: true }
  | {
      readonly stopped: number;
      readonly at: string;
      /** What its run was rejected with, and how often its model was asked. */
      readonly code: string;
      readonly asked: number;
      /** What another action was answered then. */
      readonly next: string;
    };

const { path, feed, trust, enforcer, holder, delegations, framework } = JSON.parse(process.argv[2]!) as Work;
const behest = await createBehest({
  trust,
  signer: signerOf(enforcer),
  holder: holderOf(holder),
  store: sqliteStore(path),
  policy: "grants-alone",
  profiles: { read: { effect: "read", boundary: "inside" } },
  ...(feed !== undefined && { feed: postgresFeed(feed) }),
});
const run = framework === "langchain" ? langchain : aiSdk;
const say = (said: Said): void => void (process.connected && process.send!(said));

/** Says when its tool was told, and what its run came to. */
async function watch(session: Session, i: number, begun: () => void): Promise<void> {
  let at = "";
  const told = (): void => void (at ||= String(process.hrtime.bigint()));
  const { code, asked } = await run(session, { begun, told });
  const next = await session
    .perform({ tool: "read", args: {} }, async () => "ran")
    .then(
      ({ outcome }) => outcome,
      (error: unknown) => (BehestError.isInstance(error) ? error.code : "error"),
    );
  say({ stopped: i, at, code, asked, next });
}

const sessions = await Promise.all(delegations.map((delegation) => behest.open(delegation)));
await Promise.all(sessions.map((session, i) => new Promise<void>((begun) => void watch(session, i, begun))));
say({ ready: true });
process.on("disconnect", () => void behest.close().then(() => process.exit(0)));
