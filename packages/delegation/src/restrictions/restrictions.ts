import { type Json, canonical } from "@behest/jws";
import type { Wider } from "../error.ts";
import { type RequiredApprovals, approvals } from "./approvals.ts";
import { type MinimumConsent, consent } from "./consent.ts";
import { type Effect, effects } from "./effects.ts";
import { fanOut } from "./fan-out.ts";
import { type ScopedLimits, limits } from "./limits.ts";
import { type Member, members } from "./member.ts";
import { type StatusReference, status } from "./status.ts";
import { workspace } from "./workspace.ts";

/**
 * What restricts a token beyond AAT: the protected header parameter `bhst`, named in `crit`, so that whoever does
 * not understand it refuses (docs/spec/delegation-profile.md). Absent where nothing restricts.
 */
export type Restrictions = {
  readonly workspace?: string;
  readonly limits?: ScopedLimits;
  readonly fan_out?: number;
  readonly effects?: readonly Effect[];
  readonly approvals?: RequiredApprovals;
  readonly consent?: MinimumConsent;
  readonly status?: StatusReference;
};

type Rules = { readonly [name in keyof Restrictions]-?: Member<Required<Restrictions>[name]> };
const RULES: Rules = { workspace, limits, fan_out: fanOut, effects, approvals, consent, status };
const NAMES: ReadonlySet<string> = new Set(Object.keys(RULES));

/** A member's rule; values are only ever handed to the rule of their own name. */
function ruleOf(name: string): Member<Json> {
  return RULES[name as keyof Restrictions] as Member<never> as Member<Json>;
}

/** The name of the first member that is unknown or not well-formed, `"bhst"` where there is none at all. */
export function malformedRestriction(value: Json): string | undefined {
  const named = members(value);
  if (!named) return "bhst";
  return Object.keys(named).find((name) => !NAMES.has(name) || ruleOf(name).read(named[name]!) === undefined);
}

/** Every member that `child` drops, loosens, or may not add; empty when it keeps or tightens all of them. */
export function looser(parent: Restrictions = {}, child: Restrictions = {}): readonly Wider[] {
  const found: Wider[] = [];
  for (const [name, held] of entries(parent)) {
    const asked = member(child, name);
    if (asked === undefined || !ruleOf(name).keeps(held, asked))
      found.push({
        path: name,
        parent: canonical(held),
        child: asked === undefined ? "none" : canonical(asked),
      });
  }
  for (const [name, asked] of entries(child))
    if (ruleOf(name).given === "root" && member(parent, name) === undefined)
      found.push({ path: name, parent: "none", child: canonical(asked) });
  return found;
}

/** What a child carries that asks for `wanted`: that, and whatever its parent carries beside it. */
export function overlay(parent: Restrictions = {}, wanted: Restrictions = {}): Restrictions | undefined {
  return join(parent, wanted, (rule, held, asked) => rule.over(held, asked));
}

/** The loosest that keeps both; a member's name where nothing does. */
export function meetRestrictions(
  parent: Restrictions = {},
  wanted: Restrictions = {},
): { readonly restrictions: Restrictions | undefined } | { readonly apart: string } {
  const apart = entries(wanted).find(([name, asked]) => {
    const held = member(parent, name);
    const { given, meet } = ruleOf(name);
    return held === undefined ? given === "root" : meet(held, asked) === undefined;
  });
  return apart
    ? { apart: apart[0] }
    : { restrictions: join(parent, wanted, (rule, held, asked) => rule.meet(held, asked)!) };
}

function join(
  parent: Restrictions,
  wanted: Restrictions,
  both: (rule: Member<Json>, held: Json, asked: Json) => Json,
): Restrictions | undefined {
  const joined: { [name: string]: Json } = Object.fromEntries(entries(parent));
  for (const [name, asked] of entries(wanted)) {
    const held = member(parent, name);
    joined[name] = held === undefined ? asked : both(ruleOf(name), held, asked);
  }
  return Object.keys(joined).length > 0 ? (joined as Restrictions) : undefined;
}

function member(restrictions: Restrictions, name: string): Json | undefined {
  return restrictions[name as keyof Restrictions] as Json | undefined;
}

function entries(restrictions: Restrictions): readonly [string, Json][] {
  return Object.entries(restrictions).filter(([, value]) => value !== undefined) as [string, Json][];
}
