import { type Frontier, type Head, equal, rootOf } from "../tree.ts";
import { headOf } from "../checkpoint.ts";
import type { Findings } from "./report.ts";

/** One head that is compared with the log. */
interface Held {
  readonly head: Head;
  /** Who kept it, as findings say. */
  readonly whose: "held" | "cosigned";
  /** Whether the log had it when it was that long; unknown while it was not passed. */
  same?: boolean;
}

/** Heads that others keep: each is one that the log had. */
export class Heads {
  readonly #bySize = new Map<number, Map<string, Held>>();

  add(head: Head, whose: Held["whose"]): void {
    const at = this.#bySize.get(head.size) ?? new Map<string, Held>();
    const text = headOf(head);
    // The caller's own comes first, and is named so.
    if (!at.has(text)) at.set(text, { head, whose });
    this.#bySize.set(head.size, at);
  }

  /** The log is so long now. */
  pass(size: number, frontier: Frontier): void {
    const held = this.#bySize.get(size);
    if (!held) return;
    const root = rootOf(frontier);
    for (const one of held.values()) one.same = equal(one.head.root, root);
  }

  /** Whether the log had this head. */
  contains(head: Head): boolean {
    return this.#bySize.get(head.size)?.get(headOf(head))?.same === true;
  }

  /** True where the log of `size` entries had all of them; what it had not is a finding. */
  settle(size: number, findings: Findings): boolean {
    const held = [...this.#bySize.values()].flatMap((at) => [...at.values()]);
    const others = held.filter(({ same }) => !same);
    for (const one of others) tell(one, size, findings);
    return others.length === 0;
  }
}

function tell({ head, whose, same }: Held, size: number, findings: Findings): void {
  if (same === undefined && head.size < size)
    findings.add(
      head.size,
      "log",
      "missing",
      "head_not_comparable",
      `the ${whose} head lies among entries that are not shown: ask for evidence that is cut at it`,
    );
  else if (head.size > size)
    findings.add(
      size,
      "log",
      "missing",
      "entries_missing",
      `the ${whose} head has more entries than are shown`,
    );
  else findings.fail(head.size, "log", "head_mismatch", `the log is not the one whose head is ${whose}`);
}
