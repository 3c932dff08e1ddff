// A process with sessions of many persons; says when each of them stops, and what an action under it is answered then.
import { BehestError, type Session, createBehest, sqliteStore } from "@behest/core";
import { type Delegation, holderOf } from "@behest/delegation";
import { type PrivateJwk, signerOf } from "@behest/jws";

export interface Work {
  readonly path: string;
  readonly trust: { readonly owner: string; readonly manifest: string };
  readonly enforcer: PrivateJwk;
  readonly holder: PrivateJwk;
  readonly delegations: readonly Delegation[];
}

/** `ready` once all sessions are open; else that one has stopped, at ns of the machine's steady clock. */
export type Said =
  | { readonly ready: true }
  | { readonly stopped: number; readonly at: string; readonly code: string; readonly ran: boolean };

const { path, trust, enforcer, holder, delegations } = JSON.parse(process.argv[2]!) as Work;
const behest = await createBehest({
  trust,
  signer: signerOf(enforcer),
  holder: holderOf(holder),
  store: sqliteStore(path),
});
const say = (said: Said): void => void (process.connected && process.send!(said));

async function watch(session: Session, i: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string>();
  session.signal.addEventListener("abort", () => resolve(String(process.hrtime.bigint())));
  const at = await promise;
  let ran = false;
  const code = await session
    .perform({ tool: "read", args: {} }, async () => (ran = true))
    .then(
      ({ outcome }) => outcome,
      (error: unknown) => (BehestError.isInstance(error) ? error.code : "error"),
    );
  say({ stopped: i, at, code, ran });
}

const sessions = await Promise.all(delegations.map((delegation) => behest.open(delegation)));
for (const [i, session] of sessions.entries()) void watch(session, i);
say({ ready: true });
process.on("disconnect", () => void behest.close().then(() => process.exit(0)));
