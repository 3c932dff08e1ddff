import { Cuts, Lineage, admit, keyOfCut, spanOf } from "@behest/core/replay";
import { CodedError } from "@behest/jws";
import type { Cut, EvidenceBundle, Manifest, RevocationEntry } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
import { type Judged, PROVEN } from "./grants.ts";
import type { Names } from "./names.ts";
import { textOf } from "./parts.ts";

/** Revocations in log order, as the signed cuts say them: also those whose entries do not tell whom they concern. */
export class Revoked {
  readonly #shown: EvidenceBundle["cuts"];
  readonly #principals: EvidenceBundle["principals"];
  readonly #cuts = new Cuts();
  readonly #forms = new Set<Parameters<Lineage["keys"]>[0]>();
  /** A cut of which neither its entry nor what is shown tells whom it concerns. */
  #untold = false;
  /** A cut names an agent. */
  #named = false;

  constructor({ cuts, principals }: EvidenceBundle) {
    this.#shown = cuts;
    this.#principals = principals;
  }

  async add(entry: RevocationEntry, manifest: Manifest | undefined): Promise<Judged> {
    const jws = textOf(this.#shown, entry.cut);
    if (jws === undefined) {
      // Of the others the entry names whom, and the log was judged by that.
      this.#untold ||= entry.scope !== "*" || !NAMED.has(entry.target) || entry.ids.length === 0;
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
      this.#named ||= "agent" in cut.target;
      if (!this.#tells(entry, cut)) throw new TypeError("another target");
      return PROVEN;
    } catch (error) {
      if (!CodedError.isInstance(error) && !(error instanceof TypeError)) throw error;
      this.#untold = true;
      return { state: "failed", code: "cut_mismatch", message: "the signed cut is not what its entry says" };
    }
  }

  /** Whether a permitted action stands after a cut that concerns it. `hidden`: entries before it that are not shown. */
  judge(
    delegation: KnownDelegation | undefined,
    { hidden, names, whole }: { readonly hidden: boolean } & ReturnType<Names["along"]>,
  ): Judged {
    const verified = delegation?.verified;
    if (!verified)
      return { state: "not_shown", code: "chain_not_proven", message: "its chain is not proven here" };
    const lineage = new Lineage(verified.claims, verified.principal, names);
    for (const form of this.#forms)
      if (this.#cuts.concerns(lineage.keys(form), lineage.issued))
        return {
          state: "failed",
          code: "permitted_after_cut",
          message: "permitted after its chain had been cut",
        };
    if (this.#untold || hidden)
      return {
        state: "not_shown",
        code: "cuts_not_shown",
        message: "a revocation that is not shown may concern it",
      };
    if (this.#named && !whole)
      return {
        state: "not_shown",
        code: "agent_not_shown",
        message: "a revocation names an agent, and what its agents were called is not shown",
      };
    return PROVEN;
  }

  /** Whether an entry says whom a cut concerns as the cut does. */
  #tells({ target, ids }: RevocationEntry, cut: Cut): boolean {
    return target in cut.target && ids.every((id) => this.#isOf(cut.target, id));
  }

  #isOf(target: Cut["target"], id: string): boolean {
    if ("holder" in target) return id === target.holder;
    if ("delegation" in target) return target.issuer === undefined && id === target.delegation;
    if (!("principal" in target)) return false;
    const who = Object.hasOwn(this.#principals, id) ? this.#principals[id] : undefined;
    // Of a pseudonym that is not shown it cannot be told.
    return !who || (who.subject === target.principal && (target.issuer ?? who.issuer) === who.issuer);
  }
}

/** What an entry names by itself, without the cut. */
const NAMED: ReadonlySet<string> = new Set(["principal", "holder", "delegation"]);
