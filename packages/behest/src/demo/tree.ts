import type { Reader } from "@behest/core";
import { parseJson } from "@behest/jws";
import { type ActionEntry, type DelegationEntry, type OutcomeEntry, parseEntry } from "@behest/provenance";

/** An agent, what it did and whom it spawned, from the links of the entries alone. */
export interface AgentNode {
  readonly principal: string;
  readonly agent: string;
  readonly actions: { readonly tool: string; readonly verdict: string; readonly result: string }[];
  readonly children: AgentNode[];
}

/** Roots of the tree of who acted at whose behest. */
export async function agentTree(reader: Reader): Promise<AgentNode[]> {
  const roots: AgentNode[] = [];
  const agents = new Map<string, AgentNode>();
  const actions = new Map<string, { tool: string; verdict: string; result: string }>();
  for await (const jws of reader.entries()) {
    const { hash, payload } = parseEntry(jws);
    const entry = parseJson(payload) as unknown as DelegationEntry | ActionEntry | OutcomeEntry;
    if (entry.type === "delegation") {
      const node = await nodeOf(reader, entry);
      agents.set(hash, node);
      (entry.links.parent === undefined ? roots : agents.get(entry.links.parent)?.children)?.push(node);
    } else if (entry.type === "action") {
      const action = { tool: entry.tool, verdict: entry.verdict, result: entry.findings.at(-1)?.code ?? "" };
      actions.set(hash, action);
      agents.get(entry.links.delegation ?? "")?.actions.push(action);
    } else if (entry.type === "outcome") {
      const action = actions.get(entry.links.action);
      if (action) action.result = entry.outcome;
    }
  }
  return roots;
}

async function nodeOf(reader: Reader, { leaf, principal }: DelegationEntry): Promise<AgentNode> {
  const [named, who] = [await reader.chain(leaf), await reader.subject(principal)];
  return { principal: who?.subject ?? "(erased)", agent: named?.agent ?? "agent", actions: [], children: [] };
}

export interface TreeLine {
  /** Branches and the name. */
  readonly name: string;
  readonly verdict?: string;
  readonly result?: string;
}

/** The tree as lines: a principal, the agents below it, under each its actions. */
export function treeLines(roots: readonly AgentNode[]): TreeLine[] {
  return roots.flatMap((root) => [{ name: root.principal }, ...below([root], "")]);
}

function below(agents: readonly AgentNode[], indent: string): TreeLine[] {
  return agents.flatMap((node, i) => {
    const last = i === agents.length - 1;
    const next = indent + (last ? "   " : "│  ");
    const acts = node.actions.map(({ tool, verdict, result }, j) => {
      const end = j === node.actions.length - 1 && node.children.length === 0;
      return { name: `${next}${end ? "└─" : "├─"} ${tool}`, verdict, result };
    });
    return [{ name: `${indent}${last ? "└─" : "├─"} ${node.agent}` }, ...acts, ...below(node.children, next)];
  });
}
