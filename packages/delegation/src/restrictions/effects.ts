import type { Member } from "./member.ts";

/** What an action may do to the world. */
export type Effect = "read" | "reversible" | "irreversible";

const EFFECTS: readonly unknown[] = ["read", "reversible", "irreversible"] satisfies Effect[];

/** The effects that actions may have, each named once; a child's are among its parent's. */
export const effects: Member<readonly Effect[]> = {
  read: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((effect) => EFFECTS.includes(effect)) &&
    new Set(value).size === value.length
      ? (value as readonly Effect[])
      : undefined,
  keeps: (parent, child) => child.every((effect) => parent.includes(effect)),
  over: (_parent, wanted) => wanted,
  meet(a, b) {
    const both = b.filter((effect) => a.includes(effect));
    return both.length > 0 ? both : undefined;
  },
};
