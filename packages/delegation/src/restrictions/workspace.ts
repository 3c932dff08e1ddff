import type { Member } from "./member.ts";

/*
 * A place that an agent may touch nothing outside of; what lies in it is for tools' profiles to say.
 *
 *   workspace = segment *("/" segment)          at most 256 characters
 *   segment   = 1*(letter / digit / "." / "_" / "~" / ":" / "@" / "-"), but not of dots alone
 */
const SHAPE = /^[A-Za-z0-9._~:@-]+(?:\/[A-Za-z0-9._~:@-]+)*$/;
const DOTS = /(?:^|\/)\.+(?:\/|$)/;

/** A child's is the parent's or lies below it. */
export const workspace: Member<string> = {
  read: (value) => (isWorkspace(value) ? value : undefined),
  keeps: isInWorkspace,
  over: (_parent, wanted) => wanted,
  meet: (a, b) => (isInWorkspace(a, b) ? b : isInWorkspace(b, a) ? a : undefined),
};

/** Well-formed, so that {@link isInWorkspace} says what it seems to: nothing in it climbs. */
export function isWorkspace(value: unknown): value is string {
  return typeof value === "string" && value.length <= 256 && SHAPE.test(value) && !DOTS.test(value);
}

/** `inner` is `outer` or lies below it; compared as written, both well-formed. */
export function isInWorkspace(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}
