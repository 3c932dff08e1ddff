import { MAX_BUNDLE } from "@behest/provenance";
import { BehestError } from "../error.ts";

/** Of a member's name and what stands around it. */
const AROUND = 128;

/** How long evidence gets as JSON, at most: what no verifier would read is not gathered. */
export class Scale {
  #left: number;

  constructor(most: number = MAX_BUNDLE) {
    this.#left = most;
  }

  /** Throws `too_large`. */
  add(text: string): void {
    this.#left -= JSON.stringify(text).length + AROUND;
    if (this.#left < 0)
      throw new BehestError(
        "too_large",
        "too_large: this is more evidence than one file holds. Ask for less of it: some days, a principal, a session.",
      );
  }
}
