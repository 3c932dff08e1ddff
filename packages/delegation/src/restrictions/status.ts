import { type Member, closed, isCount } from "./member.ts";

/** Where an issuer says whether its token still holds: an index in a Token Status List (draft-ietf-oauth-status-list). */
export type StatusReference = { readonly uri: string; readonly idx: number };

/** A child, which no issuer minted, keeps its parent's as it stands. */
export const status: Member<StatusReference> = {
  read(value) {
    const reference = closed(value, ["uri", "idx"]);
    if (!reference || !isCount(reference["idx"], 0)) return undefined;
    const { uri } = reference;
    return typeof uri === "string" && uri.length <= 2048 && uri.startsWith("https://") && URL.canParse(uri)
      ? (reference as StatusReference)
      : undefined;
  },
  keeps: isSame,
  over: (_parent, wanted) => wanted,
  meet: (a, b) => (isSame(a, b) ? a : undefined),
};

function isSame(a: StatusReference, b: StatusReference): boolean {
  return a.uri === b.uri && a.idx === b.idx;
}
