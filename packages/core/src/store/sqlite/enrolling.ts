import { signerOf } from "@behest/jws";
import type { BehestError } from "../../error.ts";
import { takesUp, trustDraft, trustKey } from "../log.ts";
import type { Identity } from "../types.ts";
import type { HeadRow } from "../agree.ts";
import type { Contents } from "./contents.ts";
import type { Parts, Transactions } from "./transactions.ts";
import type { Answer, Rotation } from "./write.ts";

/** The entries that begin what a key of this process signs. */
export class Enrolling {
  readonly #parts: Parts;
  readonly #transactions: Transactions;
  readonly #contents: Contents;

  constructor(parts: Parts, transactions: Transactions, contents: Contents) {
    this.#parts = parts;
    this.#transactions = transactions;
    this.#contents = contents;
  }

  /** The first entry of a key, inside a transaction. */
  place(identity: Identity, found: HeadRow | undefined, withManifest: boolean): void {
    const { index } = this.#transactions.place(trustDraft(identity, this.#parts.clock(), withManifest));
    this.#contents.mark(trustKey(index), index);
    this.#transactions.certify(index, withManifest || !found ? index : found.manifest);
  }

  /** Another key from now on: a transaction of its own. */
  rotate({ identity, manifest }: Rotation): Answer {
    try {
      const emitter = { identity, manifest, signer: signerOf(identity.entryKey) };
      this.#transactions.rotate(emitter, (_now, found) => {
        const { manifest: inForce = "" } = this.#parts.entries.trustAt(found?.manifest ?? 0);
        this.place(identity, found, takesUp(emitter, inForce));
      });
      return { value: undefined };
    } catch (error) {
      return { error: error as BehestError };
    }
  }
}
