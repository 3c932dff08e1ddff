import { type PublicKey, publicKey } from "@behest/jws";
import { readActionDecision } from "../decision.ts";
import { refusing } from "../error.ts";
import type { ActionEntry, DelegationEntry, EntryHash, EntryPayload, OutcomeEntry } from "../payload.ts";
import { Approvals, type Asked, type Hop } from "./approvals.ts";
import { Cuts } from "./cuts.ts";
import { Erasures } from "./erasures.ts";
import { type Keys, SKEW } from "./keys.ts";
import {
  type ActionKnown,
  type DelegationKnown,
  type InteractionKnown,
  type Known,
  delegationKnown,
  interactionKnown,
} from "./known.ts";
import type { Prunings } from "./prunings.ts";
import { type Findings, Refusal } from "./report.ts";
import { checkVerdict } from "./verdicts.ts";

/** No chain is longer, whoever records it: each is walked for each action under it. */
const DEEPEST = 64;

/** What entries say of each other: links, decisions, attempts, outcomes. Keeps hashes and names, no content. */
export class Records {
  readonly #findings: Findings;
  readonly #known = new Map<EntryHash, Known>();
  readonly #attempts = new Map<string, ActionKnown>();
  readonly #holders = new Map<string, PublicKey>();
  readonly #principals = new Set<string>();
  readonly #approvals = new Approvals({
    asked: (hash) => this.#asked(hash),
    chain: (hash) => this.#chain(hash),
  });
  readonly #cuts: Cuts;
  readonly #erasures: Erasures;
  /** Actions that no delegation stands behind. */
  observed = 0;

  constructor(findings: Findings, prunings: Prunings) {
    this.#findings = findings;
    this.#cuts = new Cuts(findings);
    this.#erasures = new Erasures(findings, prunings);
  }

  /** Pseudonyms of erased principals. */
  get erased(): readonly string[] {
    return this.#erasures.principals;
  }

  get principals(): number {
    return this.#principals.size;
  }

  /** Checks an entry whose signature holds; throws a refusal. Only what is not refused can be linked to. */
  async add(index: number, hash: EntryHash, payload: EntryPayload, keys: Keys): Promise<void> {
    switch (payload.type) {
      case "trust":
        return;
      case "delegation":
        this.#known.set(hash, this.#delegation(index, payload, keys));
        return;
      case "interaction":
        if (!payload.observed) {
          const { principal } = this.#link("delegation", payload.links.delegation);
          this.#erasures.living(principal, payload.at);
        }
        this.#known.set(hash, interactionKnown(payload));
        return;
      case "action":
        this.#known.set(hash, await this.#action(index, payload, keys));
        return;
      case "approval":
        return this.#approvals.add(index, hash, payload, keys);
      case "outcome":
        return this.#outcome(hash, payload);
      case "revocation":
        return this.#cuts.add(index, payload, keys);
      case "erasure":
        return this.#erasures.add(hash, payload, keys);
      case "access":
        return this.#erasures.living(payload.by, payload.at);
      case "pruning":
        return this.#erasures.prune(index, payload, keys);
    }
  }

  /** At the end of the log: attempts of which nobody knows what became. */
  finish(): void {
    this.#erasures.finish();
    for (const { index, outcome } of this.#attempts.values())
      if (!outcome)
        this.#findings.add(
          index,
          "outcome",
          "not_shown",
          "outcome_not_shown",
          "an attempt without an outcome",
        );
  }

  #link<T extends Known["type"]>(type: T, hash: EntryHash | undefined): Extract<Known, { type: T }> {
    const known = hash === undefined ? undefined : this.#known.get(hash);
    if (known?.type !== type)
      throw new Refusal(
        "link",
        "link_broken",
        `no proven ${type} entry before this one has the hash it names`,
      );
    return known as Extract<Known, { type: T }>;
  }

  #delegation(index: number, payload: DelegationEntry, keys: Keys): DelegationKnown {
    const { links, depth, principal, issuer } = payload;
    if (links.interaction !== undefined) this.#link("interaction", links.interaction);
    const parent = links.parent === undefined ? undefined : this.#link("delegation", links.parent);
    const fits = parent
      ? issuer === undefined &&
        depth === parent.depth + 1 &&
        depth <= DEEPEST &&
        principal === parent.principal
      : issuer !== undefined && depth === 0;
    if (!fits)
      throw new Refusal(
        "delegation",
        "delegation_mismatch",
        "depth, principal or issuer do not fit its parent",
      );
    this.#erasures.living(principal, payload.at);
    if (issuer !== undefined) keys.relyOnIssuer(issuer, index);
    this.#principals.add(principal);
    this.#erasures.named(principal, index);
    this.#findings.add(
      index,
      "delegation",
      "not_shown",
      "token_not_shown",
      "the token itself is not in the log",
    );
    return delegationKnown(payload);
  }

  async #action(index: number, payload: ActionEntry, keys: Keys): Promise<ActionKnown> {
    const { action, attempt, verdict, links } = payload;
    const delegation = payload.observed ? undefined : this.#link("delegation", links.delegation);
    if (links.interaction !== undefined)
      this.#chosen(index, payload, this.#link("interaction", links.interaction));
    if (delegation) this.#erasures.living(delegation.principal, payload.at);
    if (delegation) await this.#decided(payload, delegation);
    if ((verdict === "permit") !== attempt > 0)
      throw new Refusal(
        "attempt",
        "attempt_mismatch",
        "an attempt is counted from 1 where it may start, and is 0 elsewhere",
      );
    const { tool, effect, policy } = payload;
    keys.checkListed(policy);
    checkVerdict(payload);
    const known: ActionKnown = {
      type: "action",
      index,
      action,
      attempt,
      verdict,
      tool,
      effect,
      ...(policy !== undefined && { policy }),
      args: payload.content.args,
      delegation: links.delegation,
    };
    if (!delegation) this.observed++;
    if (verdict === "ask") this.#approvals.ask(payload);
    if (verdict !== "permit") return known;
    if (delegation && Date.parse(payload.at) >= Number(delegation.exp) * 1000 + SKEW)
      throw new Refusal("delegation", "delegation_expired", "permitted after its delegation had expired");
    if (delegation && this.#cuts.concern(this.#chain(links.delegation)))
      throw new Refusal("revocation", "permitted_after_cut", "permitted after its chain had been cut");
    const name = attemptName(action, attempt);
    if (this.#attempts.has(name)) throw new Refusal("attempt", "attempt_repeated", "an attempt starts twice");
    if (attempt > 1 && !startsAgain(this.#attempts.get(attemptName(action, attempt - 1)), known))
      throw new Refusal(
        "attempt",
        "attempt_out_of_order",
        "only a read whose last attempt ended otherwise than done starts again",
      );
    this.#approvals.spend(index, payload, keys);
    this.#attempts.set(name, known);
    return known;
  }

  /** The holder of the delegation signed that it wants this very action. */
  async #decided(
    { action, tool, content, decision: signed = "" }: ActionEntry,
    { holder, leaf }: DelegationKnown,
  ): Promise<void> {
    const decision = await readActionDecision(signed, this.#holderKey(holder));
    const matches =
      decision.action === action &&
      decision.leaf === leaf &&
      decision.tool === tool &&
      decision.args === content.args;
    if (!matches) throw new Refusal("decision", "decision_mismatch", "the holder decided something else");
  }

  #asked(hash: EntryHash): Asked {
    const { action, verdict, tool, args, policy, delegation } = this.#link("action", hash);
    return { action, verdict, tool, args, policy, leaf: this.#link("delegation", delegation).leaf };
  }

  #chain(leaf: EntryHash | undefined): readonly Hop[] {
    const hop = this.#link("delegation", leaf);
    const above = hop.links.parent === undefined ? [] : this.#chain(hop.links.parent);
    return [{ ...hop, entry: leaf! }, ...above];
  }

  /** The turn that an action names is of the same agent, and chose it; a call from inside a tool no turn chose. */
  #chosen(index: number, { action, session, links }: ActionEntry, turn: InteractionKnown): void {
    if (turn.delegation !== links.delegation || turn.session !== session)
      throw new Refusal("link", "interaction_mismatch", "the turn it names is another agent's");
    if (turn.chosen.includes(action)) return;
    this.#findings.add(
      index,
      "decision",
      "not_shown",
      "choice_not_shown",
      "the turn it names did not choose it: it came from inside a tool, or from nowhere",
    );
  }

  #outcome(hash: EntryHash, { action, attempt, outcome, links, at }: OutcomeEntry): void {
    const of = this.#link("action", links.action);
    if (of.verdict !== "permit" || of.action !== action || of.attempt !== attempt)
      throw new Refusal(
        "outcome",
        "outcome_mismatch",
        "an outcome is not of the attempt it links to, or of none that could start",
      );
    // What had started before an erasure still ends after it.
    if (of.delegation !== undefined)
      this.#erasures.seen(this.#link("delegation", of.delegation).principal, at);
    if (links.outcome !== undefined) return this.#reconciled(of, links.outcome);
    if (of.outcome) throw new Refusal("outcome", "outcome_repeated", "an attempt has two outcomes");
    of.outcome = outcome;
    if (outcome === "unknown") of.unknown = hash;
  }

  /** What became of an attempt that is recorded as unknown is told once; its outcome stands. */
  #reconciled(of: ActionKnown, unknown: EntryHash): void {
    if (of.unknown !== unknown)
      throw new Refusal("outcome", "outcome_mismatch", "it reconciles no unknown outcome of its attempt");
    of.unknown = undefined;
  }

  #holderKey(x: string): PublicKey {
    const known = this.#holders.get(x);
    if (known) return known;
    const key = refusing("malformed_entry", "a delegation's holder is no usable key", () =>
      publicKey({ kty: "OKP", crv: "Ed25519", x }),
    );
    this.#holders.set(x, key);
    return key;
  }
}

/** A read that ended otherwise than `done` starts again as itself: the same tool, arguments and delegation. */
function startsAgain(last: ActionKnown | undefined, next: ActionKnown): boolean {
  if (last?.outcome === undefined || last.outcome === "done") return false;
  if (last.effect !== "read" || next.effect !== "read") return false;
  return last.tool === next.tool && last.args === next.args && last.delegation === next.delegation;
}

function attemptName(action: string, attempt: number): string {
  return `${attempt} ${action}`;
}
