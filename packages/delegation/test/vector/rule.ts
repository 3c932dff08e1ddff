import type { Json } from "@behest/jws";

export type Rule = { readonly constraint_type: string; readonly [member: string]: Json };

export function rule(type: string, members: { readonly [member: string]: Json } = {}): Rule {
  return { constraint_type: type, ...members };
}

export function exact(value: Json): Rule {
  return rule("exact", { value });
}

export function oneOf(...values: Json[]): Rule {
  return rule("one_of", { values });
}

export function notOneOf(...excluded: Json[]): Rule {
  return rule("not_one_of", { excluded });
}

export function contains(...required: Json[]): Rule {
  return rule("contains", { required });
}

export function subset(...allowed: Json[]): Rule {
  return rule("subset", { allowed });
}

export function all(...constraints: Json[]): Rule {
  return rule("all", { constraints });
}

export function any(...constraints: Json[]): Rule {
  return rule("any", { constraints });
}

export const wildcard: Rule = rule("wildcard");

/** As mathematics writes it: `[1,5)`; an empty side is no bound. */
export function range(text: string): Rule {
  const [, open, min, max, close] = /^([[(])(-?[\d.]*),(-?[\d.]*)([\])])$/.exec(text)!;
  return rule("range", {
    ...(min !== "" && { min: Number(min), ...(open === "(" && { min_inclusive: false }) }),
    ...(max !== "" && { max: Number(max), ...(close === ")" && { max_inclusive: false }) }),
  });
}

/** A constraint in so many composites. */
export function nested(type: "all" | "any", levels: number, core: Rule): Rule {
  return levels === 0 ? core : rule(type, { constraints: [nested(type, levels - 1, core)] });
}
