import type { AatTools, Constraint, ConstraintMap, Scalar } from "../constraints/constraint.ts";
import { DelegationError } from "../error.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { type Amount, type Rule, is } from "./rule.ts";
import { isOptional } from "./schema.ts";
import { readTools } from "../constraints/tools.ts";

/** A literal, a list of literals, or a rule, for values of type `V`; a list of literals for a list is ambiguous. */
type Allowed<V> =
  | Rule<V extends readonly (infer E)[] ? readonly E[] : V>
  | (number extends V ? Rule<V | Amount> : never)
  | (unknown extends V ? Literal<Scalar> : Literal<Extract<V, Scalar>>);

type Literal<S> = [S] extends [never] ? never : S | readonly S[];

type OptionalNames<A> = { [K in keyof A]-?: {} extends Pick<A, K> ? K : never }[keyof A];

type Named<A> = string extends keyof A
  ? { readonly [argument: string]: Allowed<unknown> }
  : { readonly [K in Exclude<keyof A, OptionalNames<A>>]: Allowed<A[K]> } & {
      readonly [K in OptionalNames<A>]?: Allowed<Exclude<A[K], undefined>>;
    };

/** `true`: any arguments. Else every argument that may be there, unless `"*": is.any` opens the rest. */
export type Grant<A> = true | Named<A> | (Partial<Named<A>> & { readonly "*": Rule<never> });

/** Parsed arguments of a LangChain tool (`func`) or an AI SDK tool (`execute`, `inputSchema`), structurally. */
export type ArgsOf<T> = T extends { func: (input: infer I, ...rest: never[]) => unknown }
  ? I
  : T extends { execute: (input: infer I, ...rest: never[]) => unknown }
    ? I
    : T extends { inputSchema: infer S }
      ? SchemaOutput<Extract<S, { "~standard": unknown }>>
      : Record<string, unknown>;

type SchemaOutput<S> = S extends { "~standard": { types?: { output: infer I } | undefined } }
  ? I
  : Record<string, unknown>;

type ToolMap<T> = T extends readonly (infer U)[]
  ? { [K in U as K extends { name: infer N extends string } ? N : never]: ArgsOf<K> }
  : { [K in keyof T]: ArgsOf<T[K]> };

export type Grants<T> = { readonly [K in keyof ToolMap<T>]?: Grant<ToolMap<T>[K]> };

/**
 * Tools and what may be passed to them → what a delegation carries. A literal becomes `exact`, a list `one_of`,
 * everything else is written with `is`; an argument that the tool's schema lets be absent becomes optional. Checked
 * against the tools' own argument types, and again here. Throws `malformed_grant`.
 */
export function grants<const T extends readonly object[] | Record<string, object>>(
  tools: T,
  allow: Grants<NoInfer<T>>,
): AatTools {
  const entries: [string, ConstraintMap][] = [];
  for (const [name, grant] of Object.entries(allow as { readonly [tool: string]: unknown })) {
    if (grant === undefined) continue;
    const tool = findTool(tools, name);
    if (!tool) malformed(name, "there is no such tool");
    entries.push([name, grant === true ? { "*": is.any.constraint } : compile(name, tool, grant)]);
  }
  return readTools(Object.fromEntries(entries), DEFAULT_LIMITS);
}

function findTool(tools: readonly object[] | Record<string, object>, name: string): object | undefined {
  if (Array.isArray(tools))
    return (tools as readonly { readonly name?: unknown }[]).find((tool) => tool.name === name);
  return Object.hasOwn(tools, name) ? (tools as Record<string, object>)[name] : undefined;
}

function compile(name: string, tool: object, grant: unknown): ConstraintMap {
  if (typeof grant !== "object" || grant === null || Array.isArray(grant))
    malformed(name, "expected true, or argument → rule");
  const rules = Object.entries(grant).filter(([, allowed]) => allowed !== undefined);
  // To the draft an empty map means any arguments; whoever wrote it most likely meant none.
  if (rules.length === 0)
    malformed(name, "an empty map would permit any arguments; write true if that is meant");
  const map = rules.map(([argument, allowed]): [string, Constraint] => {
    const constraint = constraintOf(`${name}.${argument}`, allowed);
    return [
      argument,
      argument !== "*" && isOptional(tool, argument) ? { ...constraint, optional: true } : constraint,
    ];
  });
  return Object.fromEntries(map);
}

function constraintOf(path: string, allowed: unknown): Constraint {
  if (Array.isArray(allowed)) return { constraint_type: "one_of", values: allowed as readonly Scalar[] };
  if (typeof allowed !== "object" || allowed === null)
    return { constraint_type: "exact", value: allowed as Scalar };
  if (!Object.hasOwn(allowed, "constraint"))
    malformed(path, 'expected a literal, a list of literals, or a rule of "is"');
  return (allowed as Rule<unknown>).constraint;
}

function malformed(path: string, what: string): never {
  throw new DelegationError("malformed_grant", `tools.${path}: ${what}`);
}
