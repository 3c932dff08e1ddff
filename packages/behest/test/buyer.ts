import { readFileSync } from "node:fs";
import { createBehest, findLocal, readKeyFile, sqliteStore } from "@behest/core";

/** An agent that pays amounts of euros, a call each, in one run: says what came of each. Under the policies of a folder, or by their name. */
const [path, policy, ...amounts] = process.argv.slice(2) as [string, string, ...string[]];
const local = findLocal()!;
await using behest = await createBehest({
  trust: { owner: local.owner, manifest: readFileSync(local.manifest, "utf8") },
  signer: readKeyFile(local.signer),
  holder: readKeyFile(local.holder),
  store: sqliteStore(local.store),
  profiles: {
    pay: {
      effect: "irreversible",
      boundary: "outside",
      amount: ({ amount, currency }: { amount: number; currency: string }) => ({ value: amount, currency }),
    },
  },
  policy,
});
const session = await behest.open(readFileSync(path, "utf8"), { run: "invoices" });
const said: (string | undefined)[] = [];
for (const amount of amounts) {
  const call = { tool: "pay", args: { amount: Number(amount), currency: "EUR" }, callId: amount };
  said.push(
    await session
      .perform(call, async () => "paid")
      .then(
        ({ outcome }) => outcome,
        (error: { code?: string }) => error.code,
      ),
  );
}
console.log(said.join(" "));
