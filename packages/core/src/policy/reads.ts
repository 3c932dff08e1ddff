import type { PolicyJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";

type Side = "principal" | "action" | "resource";

/**
 * What of a request policies can read. Each value and each entity that Cedar is given costs some µs at every
 * decision, so what no policy names is not given to it. Strict validation has shown that they read nothing but what
 * the schema has; a name that stands in none of them is read by none.
 */
export interface Reads {
  /** Names of attributes; undefined: any. */
  readonly names: ReadonlySet<string> | undefined;
  /** Whose parents count; `workspace`: of the resource's workspace and the delegation's. */
  readonly parents: ReadonlySet<Side | "workspace">;
  /** Entities that policies name on the left of an `in`. */
  readonly literals: readonly TypeAndId[];
}

const SIDES: readonly Side[] = ["principal", "action", "resource"];

export function readsOf(policies: readonly PolicyJson[]): Reads {
  const found: Found = { names: new Set(), parents: new Set(), literals: [], whole: false };
  for (const policy of policies) {
    for (const side of SIDES) if (isIn(policy[side])) found.parents.add(side);
    for (const { body } of policy.conditions) read(body, found, false);
  }
  const { names, parents, literals, whole } = found;
  return { names: whole ? undefined : names, parents, literals };
}

interface Found {
  readonly names: Set<string>;
  readonly parents: Set<Side | "workspace">;
  readonly literals: TypeAndId[];
  /** The context, its `args` or a person are used as a value, with all that they hold. */
  whole: boolean;
}

function isIn(constraint: PolicyJson[Side]): boolean {
  return constraint.op === "in" || (constraint.op === "is" && constraint.in !== undefined);
}

type Access = { readonly left: unknown; readonly attr: string | readonly string[] };

/** `accessed`: of this expression only a member is read. */
function read(expression: unknown, found: Found, accessed: boolean): void {
  if (typeof expression !== "object" || expression === null) return;
  for (const [operator, operand] of Object.entries(expression)) {
    switch (operator) {
      case "Var":
        found.whole ||= operand === "context" && !accessed;
        break;
      case ".":
      case "has": {
        const { left, attr } = operand as Access;
        for (const name of typeof attr === "string" ? [attr] : attr) found.names.add(name);
        found.whole ||= operator === "." && (attr === "args" || attr === "person") && !accessed;
        read(left, found, true);
        break;
      }
      case "Record":
        // Its keys are the author's words, not operators.
        for (const member of Object.values(operand as object)) read(member, found, false);
        break;
      case "in":
        within(operand as Within, found);
        break;
      case "is": {
        const { left, in: right } = operand as Within & { readonly in?: unknown };
        if (right === undefined) read(left, found, false);
        else within({ left, right }, found);
        break;
      }
      default:
        read(operand, found, false);
    }
  }
}

interface Within {
  readonly left: unknown;
  readonly right: unknown;
}

/** Unless it is a variable, what stands on the left may be any of these, or a literal in it. */
function within({ left, right }: Within, found: Found): void {
  const { Var: side } = left as { readonly Var?: Side };
  if (side) found.parents.add(side);
  else {
    for (const each of [...SIDES, "workspace"] as const) found.parents.add(each);
    found.literals.push(...literalsIn(left));
  }
  read(left, found, false);
  read(right, found, false);
}

function literalsIn(expression: unknown): TypeAndId[] {
  if (typeof expression !== "object" || expression === null) return [];
  return Object.entries(expression).flatMap(([name, member]) =>
    name === "__entity" ? [member as TypeAndId] : literalsIn(member),
  );
}
