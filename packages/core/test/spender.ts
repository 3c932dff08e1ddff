// A process that makes calls under a limited delegation, all at once; see src/budget/spenders.test.ts.
import { type Delegation, holderOf } from "@behest/delegation";
import { type PrivateJwk, signerOf } from "@behest/jws";
import { BehestError, createBehest, sqliteStore } from "../src/index.ts";
import type { Trust } from "../src/trust.ts";

export interface Spending {
  readonly path: string;
  readonly trust: Trust;
  readonly enforcer: PrivateJwk;
  readonly holder: PrivateJwk;
  readonly delegation: Delegation;
  readonly calls: readonly string[];
  /** Its bodies never end: it waits to be killed. */
  readonly hangs?: boolean;
}

const profiles = {
  pay: {
    effect: "irreversible",
    boundary: "outside",
    amount: ({ value }: { value: string }) => ({ value, currency: "EUR" }),
  },
} as const;

const { path, trust, enforcer, holder, delegation, calls, hangs } = JSON.parse(process.argv[2]!) as Spending;
const behest = await createBehest({
  trust,
  signer: signerOf(enforcer),
  holder: holderOf(holder),
  store: sqliteStore(path),
  profiles,
  policy: "grants-alone",
});
const session = await behest.open(delegation, { run: "run" });
const answers = await Promise.all(
  calls.map((callId) =>
    session
      .perform({ tool: "pay", args: { value: "0.5" }, callId }, async () => {
        // Said at once: what ran has run, whatever becomes of the process.
        process.stdout.write("ran\n");
        if (hangs) await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
      })
      .then(
        ({ outcome }) => outcome,
        (error: unknown) => (BehestError.isInstance(error) ? error.code : "error"),
      ),
  ),
);
process.stdout.write(`${JSON.stringify(answers)}\n`);
await behest.close();
