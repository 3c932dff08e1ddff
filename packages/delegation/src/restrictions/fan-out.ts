import { type Member, isCount } from "./member.ts";

/** How many children may be derived directly from a token, as far as enforcement points see them; a child's is no larger. */
export const fanOut: Member<number> = {
  read: (value) => (isCount(value, 0) ? value : undefined),
  keeps: (parent, child) => child <= parent,
  over: (_parent, wanted) => wanted,
  meet: Math.min,
};
