import { readFileSync } from "node:fs";
import { createBehest } from "@behest/core";

/** An agent that pays once, in one run: says `paid`, or the code of what stopped it. */
await using behest = await createBehest();
const session = await behest.open(readFileSync(process.argv[2]!, "utf8"), {
  agent: "payer",
  run: "invoice-7",
});
const call = { tool: "pay", args: { amount: 40, currency: "EUR" }, callId: "call-1" };
const said = await session
  .perform(call, async () => "paid")
  .then(
    (outcome) => (outcome.outcome === "done" ? outcome.value : outcome.outcome),
    (error: { code?: string }) => error.code,
  );
console.log(said);
