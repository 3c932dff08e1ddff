import type { EvidenceApproval, EvidenceDelegation } from "../report.ts";
import type { Model } from "./model.ts";
import type { Step } from "./steps.ts";

/** What stands in a row of the graph, in the order of the log. */
export type Node =
  | { readonly kind: "principal" }
  | { readonly kind: "delegation"; readonly of: EvidenceDelegation }
  | { readonly kind: "approval"; readonly of: EvidenceApproval }
  | { readonly kind: "action"; readonly of: Step };

export interface Row {
  readonly node: Node;
  readonly lane: number;
}

/** A line down a lane: from where it branches off another, past its own node, to the last that hangs on it. */
export interface Lane {
  readonly kind: "principal" | "delegation" | "approval";
  readonly lane: number;
  readonly from: number;
  readonly to: number;
  /** Row and lane that it comes out of. */
  readonly out?: { readonly row: number; readonly lane: number };
  /** Rows and lanes that it ends in. */
  readonly into: readonly { readonly row: number; readonly lane: number }[];
}

export interface Graph {
  readonly rows: readonly Row[];
  readonly lanes: readonly Lane[];
  /** How many lanes stand side by side. */
  readonly width: number;
}

/** One line before it has a lane. */
interface Line {
  readonly kind: Lane["kind"];
  /** Index of the entry; -1: the principal. */
  readonly index: number;
  from: number;
  /** The lane is its own up to there; it is drawn to `to`, as what branches off leaves it in the row above. */
  until: number;
  to: number;
  readonly into: number[];
  out?: number;
}

/**
 * From the records' own links: the principal, the delegations below each other, what was done under each, and the
 * approvals from who asked to what they let start. A lane is free again once nothing more hangs on it.
 */
export function graphOf(model: Model, steps: readonly Step[]): Graph {
  const nodes = nodesOf(model, steps);
  const at = new Map(nodes.map((node, row) => [indexOf(node), row]));
  const lines = new Map<number, Line>();
  const lineAt = (kind: Lane["kind"], index: number): Line => {
    const row = at.get(index)!;
    const line = lines.get(index) ?? { kind, index, from: row, until: row, to: row, into: [] };
    lines.set(index, line);
    return line;
  };
  const reach = (line: Line, row: number, above = row): void => {
    line.until = Math.max(line.until, row);
    line.to = Math.max(line.to, above);
  };
  for (const [row, node] of nodes.entries()) {
    if (node.kind === "delegation") {
      const { parent } = node.of;
      const above = parent !== undefined && at.has(parent) ? parent : -1;
      reach(lineAt(above === -1 ? "principal" : "delegation", above), row, row - 1);
      lineAt("delegation", node.of.index).out = above;
    } else if (node.kind === "approval") {
      const asked = model.asked(node.of).find((index) => at.has(index));
      const line = lineAt("approval", node.of.index);
      if (asked !== undefined) Object.assign(line, { from: at.get(asked)!, out: asked });
    } else if (node.kind === "action") {
      const { first } = node.of;
      const under = first.delegations.at(-1);
      reach(lineAt(under === undefined ? "principal" : "delegation", under ?? -1), row);
      for (const approval of first.approvals.filter((index) => at.has(index))) {
        const line = lineAt("approval", approval);
        reach(line, row, row - 1);
        line.into.push(row);
      }
    }
  }
  return placed(nodes, at, [...lines.values()]);
}

function nodesOf(model: Model, steps: readonly Step[]): Node[] {
  const found = new Map<number, Node>([[-1, { kind: "principal" }]]);
  for (const step of steps) {
    for (const of of model.chain(step.first)) found.set(of.index, { kind: "delegation", of });
    for (const of of model.approvals(step.first)) found.set(of.index, { kind: "approval", of });
    found.set(step.first.index, { kind: "action", of: step });
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([, node]) => node);
}

function indexOf(node: Node): number {
  if (node.kind === "principal") return -1;
  return node.kind === "action" ? node.of.first.index : node.of.index;
}

function placed(nodes: readonly Node[], at: ReadonlyMap<number, number>, lines: readonly Line[]): Graph {
  const ends: number[] = [];
  const lanes = new Map<number, number>();
  for (const { index, from, until } of lines.toSorted((a, b) => a.from - b.from || a.index - b.index)) {
    const free = ends.findIndex((end) => end < from);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = until;
    lanes.set(index, lane);
  }
  const rows = nodes.map((node): Row => {
    const own = node.kind === "action" ? (node.of.first.delegations.at(-1) ?? -1) : indexOf(node);
    return { node, lane: lanes.get(own) ?? 0 };
  });
  const point = (row: number): { row: number; lane: number } => ({ row, lane: rows[row]!.lane });
  return {
    rows,
    width: Math.max(1, ends.length),
    lanes: lines.map(({ kind, index, from, to, out, into }) => ({
      kind,
      lane: lanes.get(index)!,
      from,
      to,
      ...(out !== undefined && at.has(out) && { out: point(at.get(out)!) }),
      into: into.map(point),
    })),
  };
}
