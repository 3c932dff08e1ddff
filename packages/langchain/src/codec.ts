import type { Json } from "@behest/delegation";
import {
  type BaseMessage,
  type StoredMessage,
  isBaseMessage,
  mapStoredMessagesToChatMessages,
} from "@langchain/core/messages";
import { Command, Send, isCommand } from "@langchain/langgraph";

/**
 * Tool results to JSON and back, for replay: text and JSON as they are; messages, commands and sends
 * inside of them as LangChain stores them. Grammar: `{plain}` or `{tree}`, where a tree is a scalar or
 * one of `{list}`, `{object}`, `{message: [type, tree]}`, `{command}`, `{send: [node, tree]}`, or `{}`
 * for undefined. What is none of these has no form, and its call cannot be replayed.
 */
export const results: { encode(value: unknown): Json | undefined; decode(json: Json): unknown } = {
  encode(value): Json | undefined {
    if (value !== undefined && isJson(value)) return { plain: value };
    const tree = toTree(value);
    return tree === NONE ? undefined : { tree };
  },
  decode(json) {
    const { plain, tree } = json as { plain?: Json; tree?: Json };
    return plain === undefined ? fromTree(tree as Json) : plain;
  },
};

/** Plain JSON through and through; a member that is undefined counts as absent. */
function isJson(value: unknown): value is Json {
  if (typeof value !== "object" || value === null)
    return (
      value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)
    );
  if (Array.isArray(value)) return value.every(isJson);
  return isPlain(value) && Object.values(value).every((member) => member === undefined || isJson(member));
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null;
}

const NONE: unique symbol = Symbol("no JSON form");
const STORED: ReadonlySet<string> = new Set(["human", "ai", "system", "tool", "function", "generic"]);

function toTree(value: unknown): Json | typeof NONE {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null) return isJson(value) ? value : NONE;
  if (Array.isArray(value)) return allOf(value, (list) => ({ list }));
  if (isBaseMessage(value)) {
    const { type, data } = toStored(value);
    // What a tool left in `artifact` may be anything, and toDict() would mangle it.
    const { artifact = null } = value as { artifact?: unknown };
    const tree = STORED.has(type) && isJson(artifact) ? toTree(data) : NONE;
    return tree === NONE ? NONE : { message: [type, tree] };
  }
  if (isCommand(value)) {
    const { graph, update, resume, goto } = value;
    const command = toTree({ graph, update, resume, goto });
    return command === NONE ? NONE : { command };
  }
  if (value instanceof Send) {
    const args = toTree(value.args);
    return args === NONE ? NONE : { send: [value.node, args] };
  }
  if (!isPlain(value)) return NONE;
  const present = Object.entries(value).filter(([, member]) => member !== undefined);
  const names = present.map(([name]) => name);
  return allOf(
    present.map(([, member]) => member),
    (members) => ({ object: members.map((member, i) => [names[i]!, member]) }),
  );
}

function allOf(values: readonly unknown[], wrap: (trees: readonly Json[]) => Json): Json | typeof NONE {
  const trees: Json[] = [];
  for (const value of values) {
    const tree = toTree(value);
    if (tree === NONE) return NONE;
    trees.push(tree);
  }
  return wrap(trees);
}

function fromTree(tree: Json): unknown {
  if (typeof tree !== "object" || tree === null) return tree;
  const [kind, value] = Object.entries(tree)[0] ?? [];
  switch (kind) {
    case undefined:
      return undefined;
    case "list":
      return (value as Json[]).map(fromTree);
    case "object":
      return Object.fromEntries(
        (value as [string, Json][]).map(([name, member]) => [name, fromTree(member)]),
      );
    case "message": {
      const [type, data] = value as [string, Json];
      return fromStored({ type, data: fromTree(data) as StoredMessage["data"] });
    }
    case "command":
      return new Command(fromTree(value as Json) as ConstructorParameters<typeof Command>[0]);
    case "send": {
      const [node, args] = value as [string, Json];
      return new Send(node, fromTree(args));
    }
    default:
      throw new TypeError("a recorded result has an unknown form");
  }
}

/** A message as LangChain stores it. */
function toStored(message: BaseMessage): StoredMessage {
  const { type, data } = message.toDict();
  return { type, data: unescaped(data) as StoredMessage["data"] };
}

export function fromStored(stored: StoredMessage): BaseMessage {
  return mapStoredMessagesToChatMessages([stored])[0]!;
}

/** LangChain wraps what could be taken for its own constructors, and unwraps it only where it revives those. */
function unescaped(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(unescaped);
  if (!isPlain(value)) return value;
  const members = Object.entries(value);
  const [only] = members;
  if (members.length === 1 && only?.[0] === "__lc_escaped__") return only[1];
  return Object.fromEntries(members.map(([name, member]) => [name, unescaped(member)]));
}
