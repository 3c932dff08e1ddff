/**
 * Whether an argument may be absent from a tool's *parsed* arguments, as far as its schema says: Standard JSON
 * Schema (zod 4 and others), JSON Schema (MCP, the AI SDK's `jsonSchema`), the shape of a zod 3 object. When in
 * doubt it may not: a grant that demands too much permits less.
 */
export function isOptional(tool: object, argument: string): boolean {
  const schema = schemaOf(tool);
  const json = jsonSchemaOf(schema);
  if (json !== undefined) {
    const required = member(json, "required");
    return (
      own(member(json, "properties"), argument) !== undefined &&
      !(Array.isArray(required) && required.includes(argument))
    );
  }
  const field = own(member(schema, "shape"), argument);
  const method = member(field, "isOptional");
  return typeof method === "function" && method.call(field) === true;
}

/** LangChain's `schema`, the AI SDK's `inputSchema`; a lazy one is made now. */
function schemaOf(tool: object): unknown {
  const schema = member(tool, "schema") ?? member(tool, "inputSchema");
  return typeof schema === "function" && member(schema, "~standard") === undefined
    ? (schema as () => unknown)()
    : schema;
}

function jsonSchemaOf(schema: unknown): unknown {
  const convert = member(member(member(schema, "~standard"), "jsonSchema"), "output");
  if (typeof convert === "function") {
    try {
      // Only the names matter: what JSON Schema cannot express may stand as anything.
      return convert({ target: "draft-2020-12", libraryOptions: { unrepresentable: "any" } });
    } catch {
      return {};
    }
  }
  return member(schema, "jsonSchema") ?? (member(schema, "type") === "object" ? schema : undefined);
}

/** A member of whatever a framework hands over, inherited or not. */
function member(value: unknown, name: string): unknown {
  const holder = (typeof value === "object" && value !== null) || typeof value === "function";
  return holder ? (value as { readonly [name: string]: unknown })[name] : undefined;
}

/** For names that callers choose. */
function own(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? member(value, name)
    : undefined;
}
