import type { BehestConfig } from "./behest.ts";
import { BehestError } from "./error.ts";

/** What there is, and the values of what is one of a few words. */
const OPTIONS: { readonly [name in keyof Required<BehestConfig>]: readonly string[] | "any" } = {
  trust: "any",
  signer: "any",
  store: "any",
  holder: "any",
  profiles: "any",
  policy: "any",
  enforce: ["enforce", "shadow"],
  credentials: "any",
  feed: "any",
  status: "any",
  content: ["digest", "keep"],
  witnesses: "any",
  alerts: "any",
  logs: ["entries"],
  identity: ["record", "refuse"],
  entryKeyLifetime: "any",
  clock: "any",
};

/** A word that is misspelt would leave out what it asks for, such as a feed of revocations. Throws `config_invalid`. */
export function checkOptions(config: BehestConfig): void {
  for (const [name, value] of Object.entries(config)) {
    const allowed = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as keyof typeof OPTIONS] : undefined;
    if (allowed === undefined)
      throw invalid(
        `there is no option ${JSON.stringify(name)}. There are ${Object.keys(OPTIONS).join(", ")}`,
      );
    if (allowed !== "any" && value !== undefined && !allowed.includes(value))
      throw invalid(`${name} is ${allowed.map((word) => JSON.stringify(word)).join(" or ")}`);
  }
}

function invalid(why: string): BehestError {
  return new BehestError("config_invalid", `config_invalid: ${why}.`);
}
