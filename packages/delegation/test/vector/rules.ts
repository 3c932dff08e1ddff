import type { Json } from "@behest/jws";
import type { Rule } from "./rule.ts";
import { type Vector, accept, named, refuse } from "./vector.ts";

/** A text to try, as JSON; with a name for what it is, where that does not show. */
export type Value = string | readonly [name: string, text: string];

/** Strings as they are meant, not as JSON. */
export function strings(...values: readonly Value[]): readonly Value[] {
  return values.map((value) =>
    typeof value === "string"
      ? ([named(value), JSON.stringify(value)] as const)
      : ([value[0], JSON.stringify(value[1])] as const),
  );
}

export interface Checked {
  readonly rule: Rule;
  readonly passes: readonly Value[];
  readonly fails: readonly Value[];
}

/** Step 6b: which values pass. Each is the argument "v" of the tool "t". */
export function checks(id: string, title: string, groups: readonly Checked[]): Vector {
  const alone = groups.length === 1;
  const cases = groups.flatMap(({ rule: constraint, passes, fails }) => {
    const tools = { t: { v: constraint } };
    const about = (value: Value): readonly [string, { readonly [member: string]: Json }] => {
      const [name, text] = typeof value === "string" ? [value.replaceAll('"', "'"), value] : value;
      const args = `{"v":${text}}`;
      return alone ? [name, { args }] : [`${brief(constraint)}: ${name}`, { tools, args }];
    };
    return [
      ...passes.map((value) => accept(...about(value))),
      ...fails.map((value) => {
        const [name, input] = about(value);
        return refuse(name, "argument_not_granted", { step: "6b" }, input);
      }),
    ];
  });
  const given = { ...(alone && { tools: { t: { v: groups[0]!.rule } } }), tool: "t" };
  return { id, title, replay: "arguments", given, cases };
}

/** Step 3n: which constraints are well-formed. */
export function forms(id: string, title: string, good: readonly Json[], bad: readonly Json[]): Vector {
  const of = (constraint: Json): Formed => [named(constraint), { t: { v: constraint } }];
  return formsOf(id, title, good.map(of), bad.map(of));
}

type Formed = readonly [name: string, tools: Json];

/** The same for tools. */
export function formsOf(id: string, title: string, good: readonly Formed[], bad: readonly Formed[]): Vector {
  const cases = [
    ...good.map(([name, tools]) => accept(name, { tools })),
    ...bad.map(([name, tools]) => refuse(name, "malformed_grant", { step: "3n", hop: 0 }, { tools })),
  ];
  return { id, title, replay: "tools", given: {}, cases };
}

export interface Compared {
  readonly parent: Rule;
  readonly takes: readonly Rule[];
  readonly not: readonly Rule[];
}

/** Step 4p4: which constraints are narrower, by the table. */
export function subsumptions(id: string, title: string, groups: readonly Compared[]): Vector {
  const cases = groups.flatMap(({ parent, takes, not }) => [
    ...takes.map((child) => accept(`${brief(parent)} takes ${brief(child)}`, pair(parent, child))),
    ...not.map((child) =>
      refuse(
        `${brief(parent)} does not take ${brief(child)}`,
        "wider_than_parent",
        { step: "4p4", hop: 1 },
        pair(parent, child),
      ),
    ),
  ]);
  return { id, title, replay: "grants", given: {}, cases };
}

function pair(parent: Rule, child: Rule): { readonly [member: string]: Json } {
  return { parent: { t: { v: parent } }, child: { t: { v: child } } };
}

function brief({ constraint_type: type, ...members }: Rule): string {
  return Object.keys(members).length === 0 ? type : `${type} ${named(members)}`;
}
