import type { Constraint, ConstraintMap, Json } from "@behest/delegation";

type Args = { readonly [name: string]: Json };

/** A declaration for a schema: the arguments of these calls, by what they have in common. */
export function declaration(tool: string, calls: readonly Args[]): string {
  const names = [...new Set(calls.flatMap((args) => Object.keys(args)))];
  const members = names.flatMap((name) => {
    const given = calls.filter((args) => Object.hasOwn(args, name)).map((args) => args[name]!);
    const type = typeOf(given);
    const mark = given.length < calls.length ? "?" : "";
    return type === undefined ? [] : [`${quoted(name)}${mark}: ${type}`];
  });
  return `action ${quoted(tool)} in [tool] appliesTo {
  principal: Agent, resource: Resource,
  context: { args: { ${members.join(", ")} } },
};`;
}

/** A policy that holds a tool to what was proposed; undefined where nothing of it can be said in Cedar. */
export function forbidding(tool: string, map: ConstraintMap, calls: readonly Args[]): string | undefined {
  const conditions = Object.entries(map).flatMap(([name, constraint]) => {
    const type = typeOf(calls.flatMap((args) => (Object.hasOwn(args, name) ? [args[name]!] : [])));
    const held =
      type === undefined ? undefined : condition(`context.args[${quoted(name)}]`, constraint, type);
    if (held === undefined) return [];
    return constraint.optional
      ? [`(if context.args has ${quoted(name)} then ${held} else true)`]
      : [`(${held})`];
  });
  if (conditions.length === 0) return undefined;
  return `@reason("its arguments are others than it was used with so far.")
forbid(principal, action == Action::${quoted(tool)}, resource)
unless {
  ${conditions.join(" &&\n  ")}
};`;
}

function typeOf(given: readonly Json[]): string | undefined {
  const every = (test: (value: Json) => boolean): boolean => given.every(test);
  if (every((value) => typeof value === "string")) return "String";
  if (every((value) => typeof value === "boolean")) return "Bool";
  if (every((value) => Number.isSafeInteger(value))) return "Long";
  if (every((value) => typeof value === "number" && /^-?\d{1,12}(\.\d{1,4})?$/.test(String(value))))
    return "decimal";
  if (every((value) => Array.isArray(value) && value.every((item) => typeof item === "string")))
    return "Set<String>";
  return undefined;
}

function condition(argument: string, constraint: Constraint, type: string): string | undefined {
  const literal = (value: Json | undefined): string =>
    type === "String" ? quoted(String(value)) : type === "decimal" ? decimal(Number(value)) : String(value);
  switch (constraint.constraint_type) {
    case "exact":
      return `${argument} == ${literal(constraint["value"])}`;
    case "one_of":
      return `[${(constraint["values"] as readonly Json[]).map(literal).join(", ")}].contains(${argument})`;
    case "email":
      return `${argument} like "*@${pattern(String(constraint["domain"]))}"`;
    case "path":
      return `${argument} like "${pattern(String(constraint["under"]))}/*"`;
    case "url":
      return `${argument} like "${pattern(String(constraint["base"]).replace(/\/$/, ""))}/*"`;
    case "range": {
      const [min, max] = [literal(constraint["min"]), literal(constraint["max"])];
      return type === "decimal"
        ? `${argument}.greaterThanOrEqual(${min}) && ${argument}.lessThanOrEqual(${max})`
        : `${argument} >= ${min} && ${argument} <= ${max}`;
    }
    default:
      return undefined;
  }
}

function decimal(value: number): string {
  const text = String(value);
  return `decimal("${text.includes(".") ? text : `${text}.0`}")`;
}

function quoted(text: string): string {
  return `"${escaped(text)}"`;
}

/** In a pattern of `like` only `*` is more than itself. */
function pattern(text: string): string {
  return escaped(text).replaceAll("*", "\\*");
}

function escaped(text: string): string {
  return text.replaceAll(/[\\"\p{C}\p{Z}]/gu, (sign) =>
    sign === " "
      ? sign
      : sign === "\\" || sign === '"'
        ? `\\${sign}`
        : `\\u{${sign.codePointAt(0)!.toString(16)}}`,
  );
}
