import { canonical } from "@behest/jws";
import { approverOf, readApproval } from "../approval.ts";
import { readMandate } from "../mandate.ts";
import { BREAK_GLASS, readOverride } from "../override.ts";
import type {
  ActionEntry,
  ApprovalEntry,
  Commitment,
  DecisionEntry,
  DelegationEntry,
  EntryHash,
  MandateEntry,
  OverrideEntry,
} from "../payload.ts";
import { type Keys, SKEW } from "./keys.ts";
import { Refusal } from "./report.ts";

/** An action that waits, as its entry says it. */
export interface Asked {
  readonly action: string;
  readonly verdict: ActionEntry["verdict"];
  readonly tool: string;
  readonly args: Commitment;
  readonly policy: string | undefined;
  readonly leaf: string;
}

export interface Hop extends Pick<DelegationEntry, "jti" | "leaf" | "principal" | "iat"> {
  readonly entry: EntryHash;
  /** `x` of its key. */
  readonly holder: string;
}

/** What other entries say; each throws where no proven entry has the hash. */
export interface Linked {
  asked(action: EntryHash): Asked;
  /** From the delegation up to its root; of what was observed there is none. */
  chain(delegation: EntryHash | undefined): readonly Hop[];
}

/** What one person has signed, and for how long it holds. */
interface Signed {
  /** Thumbprint of the key. */
  readonly by: string;
  readonly person: string;
  readonly decision: "approve" | "deny";
  readonly group: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
}

interface Decision extends Signed {
  readonly kind: "decision";
  /** What was asked for, by action. */
  readonly about: ReadonlyMap<string, Asked>;
  readonly spent: Set<string>;
}

interface Ahead extends Signed {
  readonly kind: "mandate" | "override";
  readonly of: Standing;
}

/** A mandate or an override, whoever has signed it. */
interface Standing {
  /** All that each of its statements says alike. */
  readonly said: string;
  readonly delegation: EntryHash;
  readonly tools: readonly string[] | undefined;
  readonly count: number;
  /** `null`: whatever the policies are. */
  readonly policy: string | undefined | null;
  readonly used: Set<string>;
  withdrawn: boolean;
}

/** What persons have signed: whose it is, what it is about, and that it is used for no more than that. */
export class Approvals {
  readonly #linked: Linked;
  readonly #given = new Map<EntryHash, Decision | Ahead>();
  readonly #standing = new Map<Commitment, Standing>();
  /** Actions, with the policies under which they were asked. */
  readonly #asked = new Set<string>();
  readonly #denied = new Set<string>();

  constructor(linked: Linked) {
    this.#linked = linked;
  }

  /** From now on it starts only on what persons have signed, or under other policies. */
  ask(entry: ActionEntry): void {
    this.#asked.add(underPolicies(entry));
  }

  /** Settles that an enrolled person signed this of what the entry links to; else throws. */
  async add(index: number, hash: EntryHash, entry: ApprovalEntry, keys: Keys): Promise<void> {
    const given =
      entry.kind === "decision"
        ? await this.#decision(index, entry, keys)
        : await this.#ahead(index, entry, keys);
    const at = Date.parse(entry.at);
    if (at >= given.exp * 1000 + SKEW || at < given.iat * 1000 - SKEW)
      throw new Refusal("approval", "approval_expired", "an approval was handed in outside of its time");
    if (given.kind !== "decision") this.#stand(entry as MandateEntry | OverrideEntry, given);
    else if (given.decision === "deny") for (const action of given.about.keys()) this.#denied.add(action);
    this.#given.set(hash, given);
  }

  /** A permitted attempt names what it rests on: of different persons in each group, each used as far as it goes. */
  spend(index: number, entry: ActionEntry, keys: Keys): void {
    const { action, links, findings } = entry;
    if (this.#denied.has(action))
      throw new Refusal("approval", "permitted_after_denial", "permitted after a person had denied it");
    const { approvals = [], override } = links;
    const unsigned = approvals.length === 0 && override === undefined;
    if (unsigned && this.#asked.has(underPolicies(entry)))
      throw new Refusal(
        "approval",
        "permitted_without_approval",
        "permitted without what it was asked for, under the same policies",
      );
    const persons = new Set<string>();
    for (const hash of approvals) {
      const given = this.#resting(index, hash, entry, keys);
      if (given.kind === "override") throw mismatch("an attempt names an override as an approval");
      const person = `${given.group}\n${given.person}`;
      if (persons.has(person)) throw new Refusal("approval", "approval_repeated", "one person counts twice");
      persons.add(person);
    }
    if ((override !== undefined) !== findings.some(({ code }) => code === "break_glass"))
      throw mismatch("an override is told and not linked, or linked and not told");
    if (override !== undefined && this.#resting(index, override, entry, keys).kind !== "override")
      throw mismatch("an attempt names as its override what is none");
  }

  /** What the entry of this hash gives to this attempt, which uses it. */
  #resting(index: number, hash: EntryHash, entry: ActionEntry, keys: Keys): Decision | Ahead {
    const given = this.#given.get(hash);
    if (given?.decision !== "approve")
      throw mismatch("an attempt names an approval that is not of its action");
    if (Date.parse(entry.at) >= given.exp * 1000 + SKEW)
      throw new Refusal(
        "approval",
        "approval_expired",
        "an attempt rests on an approval whose time was over",
      );
    const { own } = keys.relyOnApprover(given.by, index);
    if (this.#linked.chain(entry.links.delegation).some(({ holder }) => own.has(holder)))
      throw new Refusal("approval", "approver_not_trusted", "its signer holds a key of the chain");
    if (given.kind === "decision") this.#spendDecision(given, entry);
    else this.#use(given.of, entry);
    return given;
  }

  /** For the very action that was asked for: its tool, arguments and chain, under the same policies. */
  #spendDecision(
    { about, spent }: Decision,
    { action, attempt, tool, content, policy, links }: ActionEntry,
  ): void {
    const asked = about.get(action);
    const [leaf] = this.#linked.chain(links.delegation);
    if (asked?.tool !== tool || asked.args !== content.args || asked.leaf !== leaf?.leaf)
      throw mismatch("an attempt names an approval that is not of its action");
    if (asked.policy !== policy) throw mismatch("an attempt was decided under other policies than approved");
    // Another attempt of the same read rests on the same approvals.
    if (spent.has(action) && attempt === 1)
      throw new Refusal("approval", "approval_repeated", "an approval is used twice");
    spent.add(action);
  }

  #use({ delegation, tools, count, policy, used, withdrawn }: Standing, entry: ActionEntry): void {
    const covered =
      this.#linked.chain(entry.links.delegation).some((hop) => hop.entry === delegation) &&
      (tools?.includes(entry.tool) ?? true) &&
      (policy === null || policy === entry.policy);
    if (!covered) throw mismatch("an attempt names a mandate or an override that does not cover it");
    if (withdrawn)
      throw new Refusal("approval", "approval_withdrawn", "an attempt rests on what was withdrawn before");
    // Another attempt of the same read is the same use.
    if (!used.has(entry.action) && used.size === count)
      throw new Refusal("approval", "approval_overspent", "a mandate is used more often than was signed");
    used.add(entry.action);
  }

  async #decision(index: number, entry: DecisionEntry, keys: Keys): Promise<Decision> {
    const asks = entry.links.actions.map((hash) => this.#linked.asked(hash));
    const by = approverOf(entry.decision);
    const approver = keys.relyOnApprover(by, index);
    const { about, group, decision, iat, exp } = await readApproval(entry.decision, approver.key);
    const matches =
      about.length === asks.length &&
      about.length === entry.actions.length &&
      about.every((one, i) => {
        const asked = asks[i]!;
        return (
          asked.verdict === "ask" &&
          entry.actions[i] === one.action &&
          asked.action === one.action &&
          asked.leaf === one.leaf &&
          asked.tool === one.tool &&
          asked.args === one.args &&
          asked.policy === one.policy
        );
      });
    if (!matches) throw mismatch("an approval is of another action");
    const person = personOf(approver, group);
    const named = new Map(asks.map((asked) => [asked.action, asked]));
    return { kind: "decision", by, person, decision, group, iat, exp, about: named, spent: new Set() };
  }

  async #ahead(index: number, entry: MandateEntry | OverrideEntry, keys: Keys): Promise<Ahead> {
    const by = approverOf(entry.decision);
    const approver = keys.relyOnApprover(by, index);
    const said =
      entry.kind === "mandate"
        ? await readMandate(entry.decision, approver.key)
        : await readOverride(entry.decision, approver.key);
    const { decision, iat, ...rest } = said;
    const [of] = this.#linked.chain(entry.links.delegation);
    const named = "terms" in said ? said.terms : said.reason;
    if (of?.leaf !== said.leaf || named !== Object.values(entry.content)[0])
      throw mismatch("a mandate or an override is of another delegation or of other terms");
    const group = "terms" in said ? said.group : BREAK_GLASS;
    const standing = this.#standing.get(named) ?? {
      said: canonical(rest),
      delegation: entry.links.delegation,
      tools: "terms" in said ? [said.tool] : said.tools,
      count: "terms" in said ? said.count : Number.POSITIVE_INFINITY,
      policy: "terms" in said ? said.policy : null,
      used: new Set<string>(),
      withdrawn: false,
    };
    if (standing.said !== canonical(rest)) throw mismatch("another mandate or override has this name");
    const person = personOf(approver, group);
    return { kind: entry.kind, by, person, decision, group, iat, exp: said.exp, of: standing };
  }

  #stand({ content }: MandateEntry | OverrideEntry, { of, decision }: Ahead): void {
    this.#standing.set(Object.values(content)[0]!, of);
    if (decision === "deny") of.withdrawn = true;
  }
}

function underPolicies({ action, policy = "" }: ActionEntry): string {
  return `${policy} ${action}`;
}

function personOf({ persons }: ReturnType<Keys["relyOnApprover"]>, group: string): string {
  const person = persons.get(group);
  if (person !== undefined) return person;
  throw new Refusal(
    "approval",
    "approver_not_trusted",
    "its signer is not enrolled in the group it decides for",
  );
}

function mismatch(message: string): Refusal {
  return new Refusal("approval", "approval_mismatch", message);
}
