import { approverOf, readApproval } from "../approval.ts";
import type { ActionEntry, ApprovalEntry, Commitment, EntryHash } from "../payload.ts";
import { type Keys, SKEW } from "./keys.ts";
import { Refusal } from "./report.ts";

/** The action that waits, as its entry says it. */
export interface Asked {
  readonly action: string;
  readonly verdict: ActionEntry["verdict"];
  readonly tool: string;
  readonly args: Commitment;
  readonly leaf: string;
}

interface Given {
  readonly action: string;
  readonly decision: "approve" | "deny";
  readonly person: string;
  readonly group: string;
  spent: boolean;
}

/** Decisions of persons: whose they are, what they are about, and that each is used once. */
export class Approvals {
  readonly #given = new Map<EntryHash, Given>();

  /** Settles that an enrolled approver signed this decision on this very action; else throws. */
  async add(index: number, hash: EntryHash, entry: ApprovalEntry, asked: Asked, keys: Keys): Promise<void> {
    const approver = keys.relyOnApprover(approverOf(entry.decision), index);
    const statement = await readApproval(entry.decision, approver.key);
    const { action, leaf, tool, args, group, decision, iat, exp } = statement;
    const matches =
      asked.verdict === "ask" &&
      entry.action === action &&
      asked.action === action &&
      asked.leaf === leaf &&
      asked.tool === tool &&
      asked.args === args;
    if (!matches) throw new Refusal("approval", "approval_mismatch", "an approval is of another action");
    const person = approver.persons.get(group);
    if (person === undefined)
      throw new Refusal(
        "approval",
        "approver_not_trusted",
        "its signer is not enrolled in the group it decides for",
      );
    const at = Date.parse(entry.at);
    if (at >= exp * 1000 + SKEW || at < iat * 1000 - SKEW)
      throw new Refusal("approval", "approval_expired", "an approval was handed in outside of its time");
    this.#given.set(hash, { action, decision, person, group, spent: false });
  }

  /** A permitted attempt names the approvals it rests on: of different persons in each group, each used once. */
  spend({ action, attempt, links }: ActionEntry): void {
    const persons = new Set<string>();
    for (const hash of links.approvals ?? []) {
      const given = this.#given.get(hash);
      if (given?.action !== action || given.decision !== "approve")
        throw new Refusal(
          "approval",
          "approval_mismatch",
          "an attempt names an approval that is not of its action",
        );
      // Another attempt of the same read rests on the same approvals.
      if (given.spent && attempt === 1)
        throw new Refusal("approval", "approval_repeated", "an approval is used twice");
      const person = `${given.group}\n${given.person}`;
      if (persons.has(person)) throw new Refusal("approval", "approval_repeated", "one person counts twice");
      persons.add(person);
      given.spent = true;
    }
  }
}
