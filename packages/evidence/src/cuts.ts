import { Cuts, Lineage, admit, keyOfCut, spanOf } from "@behest/core/replay";
import { CodedError } from "@behest/jws";
import type { EvidenceBundle, Manifest, RevocationEntry } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
import { type Judged, PROVEN } from "./grants.ts";
import { textOf } from "./parts.ts";

/** Revocations in log order, as the signed cuts say them: also those whose entries do not tell whom they concern. */
export class Revoked {
  readonly #shown: EvidenceBundle["cuts"];
  readonly #cuts = new Cuts();
  readonly #forms = new Set<Parameters<Lineage["keys"]>[0]>();
  /** A cut of which neither its entry nor what is shown tells whom it concerns. */
  #untold = false;

  constructor({ cuts }: EvidenceBundle) {
    this.#shown = cuts;
  }

  async add(entry: RevocationEntry, manifest: Manifest | undefined): Promise<Judged> {
    const jws = textOf(this.#shown, entry.cut);
    if (jws === undefined) {
      // Of the others the entry names whom, and the log was judged by that.
      this.#untold ||= entry.scope !== "*" || entry.target === "agent" || entry.target === "tenant";
      const shown = Object.hasOwn(this.#shown, entry.cut);
      return shown
        ? { state: "failed", code: "cut_altered", message: "what is shown as its cut is not what it names" }
        : { state: "not_shown", code: "cut_not_shown", message: "the signed cut is not shown" };
    }
    try {
      const { cut, scopes, revoker } = await admit(jws, manifest!, "before");
      const scope = scopes.find((one) => one === entry.scope);
      if (!scope || revoker !== entry.revoker) throw new TypeError("another revoker");
      const { words, form } = keyOfCut(cut.target, scope);
      this.#cuts.add(words, spanOf(cut), 0);
      this.#forms.add(form);
      return PROVEN;
    } catch (error) {
      if (!CodedError.isInstance(error) && !(error instanceof TypeError)) throw error;
      this.#untold = true;
      return { state: "failed", code: "cut_mismatch", message: "the signed cut is not what its entry says" };
    }
  }

  /** Whether a permitted action stands after a cut that concerns it. `hidden`: entries before it that are not shown. */
  judge(delegation: KnownDelegation | undefined, hidden: boolean): Judged {
    const verified = delegation?.verified;
    if (!verified)
      return { state: "not_shown", code: "chain_not_proven", message: "its chain is not proven here" };
    const lineage = new Lineage(verified.claims, verified.principal);
    for (const form of this.#forms)
      if (this.#cuts.concerns(lineage.keys(form), lineage.issued))
        return {
          state: "failed",
          code: "permitted_after_cut",
          message: "permitted after its chain had been cut",
        };
    return this.#untold || hidden
      ? {
          state: "not_shown",
          code: "cuts_not_shown",
          message: "a revocation that is not shown may concern it",
        }
      : PROVEN;
  }
}
