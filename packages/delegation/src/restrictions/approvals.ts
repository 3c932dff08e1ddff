import { type Member, isCount, isName, members } from "./member.ts";

/**
 * Tool → group → how many persons of it must approve each action; `"*"` stands for every tool, beside what is
 * asked for the tool itself.
 */
export type RequiredApprovals = {
  readonly [tool: string]: { readonly [group: string]: number };
};

const MOST = 256;

/** A child asks for whatever its parent asks for, from no fewer persons. */
export const approvals: Member<RequiredApprovals> = {
  read(value) {
    const tools = Object.entries(members(value) ?? {});
    const asked = tools.flatMap(([, groups]) => Object.entries(members(groups) ?? { "": 0 }));
    const good =
      asked.length > 0 &&
      asked.length <= MOST &&
      tools.every(([tool]) => isName(tool)) &&
      asked.every(([group, persons]) => isName(group) && isCount(persons, 1));
    return good ? (value as RequiredApprovals) : undefined;
  },
  keeps: (parent, child) =>
    Object.entries(parent).every(([tool, groups]) =>
      Object.entries(groups).every(([group, persons]) => personsOf(child, tool, group) >= persons),
    ),
  over: (parent, wanted) => joined(parent, wanted, (_held, asked) => asked),
  meet: (a, b) => joined(a, b, Math.max),
};

function personsOf(required: RequiredApprovals, tool: string, group: string): number {
  const groups = Object.hasOwn(required, tool) ? required[tool]! : {};
  return Object.hasOwn(groups, group) ? groups[group]! : 0;
}

function joined(
  a: RequiredApprovals,
  b: RequiredApprovals,
  join: (held: number, asked: number) => number,
): RequiredApprovals {
  // Maps: a tool may be called "__proto__".
  const tools = new Map(Object.entries(a).map(([tool, groups]) => [tool, new Map(Object.entries(groups))]));
  for (const [tool, groups] of Object.entries(b)) {
    const held = tools.get(tool) ?? new Map<string, number>();
    for (const [group, persons] of Object.entries(groups))
      held.set(group, held.has(group) ? join(held.get(group)!, persons) : persons);
    tools.set(tool, held);
  }
  return Object.fromEntries([...tools].map(([tool, groups]) => [tool, Object.fromEntries(groups)]));
}
