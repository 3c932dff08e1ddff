import type { NamespaceDefinition } from "@cedar-policy/cedar-wasm/nodejs";

/** What a schema declares an argument to be. Sets and records of these. */
export type Argument =
  | { readonly kind: "String" | "Long" | "Bool" | "decimal" | "datetime" | "duration" | "ipaddr" }
  | { readonly kind: "Set"; readonly element: Argument }
  | { readonly kind: "Record"; readonly members: readonly Member[] };

interface Member {
  readonly name: string;
  readonly required: boolean;
  readonly type: Argument;
}

/** An argument cannot be of this type. */
export class Unreadable extends Error {}

const PLAIN: ReadonlySet<string> = new Set([
  "String",
  "Long",
  "Bool",
  "decimal",
  "datetime",
  "duration",
  "ipaddr",
]);

/** In a value these would name an entity, call a function, or be something else than a member. */
const RESERVED: ReadonlySet<string> = new Set(["__entity", "__extn", "__expr", "__proto__"]);

interface TypeJson {
  readonly type: string;
  readonly required?: boolean;
  readonly element?: TypeJson;
  readonly attributes?: { readonly [name: string]: TypeJson };
  readonly additionalAttributes?: boolean;
}

/** The type of `args`, a record; without one, no arguments. Throws {@link Unreadable}. */
export function argumentTypes(args: TypeJson | undefined, namespace: NamespaceDefinition<string>): Argument {
  if (!args) return { kind: "Record", members: [] };
  const type = argument("args", args, namespace);
  if (type.kind !== "Record") throw new Unreadable("args is no record");
  return type;
}

function argument(path: string, json: TypeJson, namespace: NamespaceDefinition<string>): Argument {
  const { type, element, attributes = {} } = json;
  if (PLAIN.has(type)) return { kind: type } as Argument;
  if (type === "Set") return { kind: "Set", element: argument(path, element!, namespace) };
  if (type === "Record") {
    const members = Object.entries(attributes).map(([name, member]): Member => {
      if (RESERVED.has(name)) throw new Unreadable(`${path} has a member "${name}"`);
      const required = member.required !== false;
      return { name, required, type: argument(`${path}.${name}`, member, namespace) };
    });
    return { kind: "Record", members };
  }
  const common = namespace.commonTypes?.[type] as TypeJson | undefined;
  if (!common)
    throw new Unreadable(
      `${path} is none of String, Long, Bool, decimal, datetime, duration, ipaddr, a Set or a record of these`,
    );
  return argument(path, common, namespace);
}
