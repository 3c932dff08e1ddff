// A process that receives one presented action, as a tool server would; see src/store/spent.test.ts.
import { type ActionOptions, DelegationError, type PresentedAction, verifyAction } from "@behest/delegation";
import { type PrivateJwk, signerOf } from "@behest/jws";
import { createBehest, sqliteStore } from "../src/index.ts";
import type { Trust } from "../src/trust.ts";

export interface Reception {
  readonly path: string;
  readonly trust: Trust;
  readonly enforcer: PrivateJwk;
  readonly action: PresentedAction;
  readonly options: ActionOptions;
}

const { path, trust, enforcer, action, options } = JSON.parse(process.argv[2]!) as Reception;
await using behest = await createBehest({
  trust,
  signer: signerOf(enforcer),
  store: sqliteStore(path),
  policy: "grants-alone",
});
try {
  await verifyAction(action, { ...options, replay: behest.replay });
  console.log("permitted");
} catch (error) {
  if (!DelegationError.isInstance(error)) throw error;
  console.log(error.code);
}
