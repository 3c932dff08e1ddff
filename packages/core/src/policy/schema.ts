import type { ActionType, NamespaceDefinition, SchemaJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
import type { Cedar } from "./cedar.ts";
import { type PolicyFault, faultAt, said } from "./fault.ts";
import type { SourceFile, Sources } from "./folder.ts";
import { indexOf } from "./statement.ts";
import { type Argument, Unreadable, argumentTypes } from "./types.ts";

/** The shipped schema and the user's as one, and what policies see of each declared tool's arguments. */
export interface PolicySchema {
  readonly json: SchemaJson<string>;
  /** Both texts: what the digest covers. */
  readonly text: string;
  readonly tools: ReadonlyMap<string, DeclaredTool>;
  /** What stands for every tool that is not declared. */
  readonly other: DeclaredTool;
}

interface DeclaredTool {
  readonly args: Argument;
  /** Actions that it is in, at any remove. */
  readonly groups: readonly TypeAndId[];
}

/** The action of a tool that no schema declares. */
export const OTHER = "other";
const EVERY = "tool";
const GROUP: TypeAndId = { type: "Action", id: EVERY };

export function schemaOf(cedar: Cedar, { shipped, schema }: Sources): PolicySchema | PolicyFault {
  const text = `${shipped.text}\n${schema?.text ?? ""}`;
  const answer = cedar.schemaToJsonWithResolvedTypes(text);
  if (answer.type === "failure") {
    const error = answer.errors[0]!;
    // What is declared twice has two places; the user's is the later one.
    const start = error.sourceLocations?.at(-1)?.start ?? 0;
    return placed(shipped, schema, indexOf(text, start), said(error));
  }
  const { json } = answer;
  const root = json[""]!;
  const tools = new Map<string, DeclaredTool>();
  const refuse = (name: string, reason: string): PolicyFault => {
    const { file, text: source } = schema ?? shipped;
    return faultAt(file, source, Math.max(0, source.indexOf(name)), `action "${name}" ${reason}`);
  };
  for (const [namespace, { actions }] of Object.entries(json)) {
    const [name] = Object.keys(actions);
    if (namespace !== "" && name !== undefined)
      return refuse(name, "stands in a namespace; tools are declared outside of any");
  }
  const base = contextOf(root.actions[OTHER]!);
  for (const [name, action] of Object.entries(root.actions)) {
    const { appliesTo } = action;
    if (name === OTHER || !appliesTo || appliesTo.principalTypes.length === 0) continue;
    const own = contextOf(action);
    const { args, ...rest } = own ?? {};
    if (`${appliesTo.principalTypes}` !== "Agent" || `${appliesTo.resourceTypes}` !== "Resource")
      return refuse(name, "applies to other than an Agent and a Resource");
    if (!own || Object.keys(rest).length > 0)
      return refuse(name, "has a context of other than { args: { … } }; the rest is added to it");
    try {
      const groups = [...groupsOf(name, root.actions), GROUP];
      tools.set(name, { args: argumentTypes(args, root), groups });
    } catch (error) {
      if (error instanceof Unreadable) return refuse(name, `cannot be read: ${error.message}`);
      throw error;
    }
    root.actions[name] = merged(action, base!, args);
  }
  return { json, text, tools, other: { args: argumentTypes(undefined, root), groups: [GROUP] } };
}

/** Those that an action is in. */
function groupsOf(
  name: string,
  actions: NamespaceDefinition<string>["actions"],
  found: Set<string> = new Set(),
): readonly TypeAndId[] {
  for (const { id } of actions[name]?.memberOf ?? []) {
    if (id === EVERY || found.has(id)) continue;
    found.add(id);
    groupsOf(id, actions, found);
  }
  return [...found].map((id) => ({ type: "Action", id }));
}

type Attributes = Record<string, { type: string }>;

function contextOf({ appliesTo }: ActionType<string>): Attributes | undefined {
  const context = appliesTo?.context as { readonly attributes?: Attributes } | undefined;
  return context ? context.attributes : {};
}

function merged(
  action: ActionType<string>,
  base: Attributes,
  args: Attributes[string] | undefined,
): ActionType<string> {
  const groups = action.memberOf ?? [];
  const attributes = { ...base, ...(args && { args }) };
  return {
    ...action,
    memberOf: groups.some(({ id }) => id === EVERY) ? groups : [...groups, GROUP],
    appliesTo: { ...action.appliesTo!, context: { type: "Record", attributes } },
  } as ActionType<string>;
}

function placed(
  shipped: SourceFile,
  schema: SourceFile | undefined,
  at: number,
  reason: string,
): PolicyFault {
  const inUsers = at - shipped.text.length - 1;
  return schema && inUsers >= 0
    ? faultAt(schema.file, schema.text, inUsers, reason)
    : faultAt(shipped.file, shipped.text, at, reason);
}
