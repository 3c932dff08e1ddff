import { type Member, closed, isCount } from "./member.ts";

/** Where an issuer says whether its token still holds: an index in a Token Status List (draft-ietf-oauth-status-list). */
export type StatusReference = { readonly uri: string; readonly idx: number };

/** RFC 3986 without user info, also what some parser could take for it, and without a fragment; ASCII, so no white space. */
const URI = /^https:\/\/[A-Za-z0-9._~:[\]!$&'()*+,;=%-]+(?:\/[A-Za-z0-9._~:/?[\]@!$&'()*+,;=%-]*)?$/;

/** A child, which no issuer minted, keeps its parent's as it stands, and has none where its parent has none. */
export const status: Member<StatusReference> = {
  read(value) {
    const reference = closed(value, ["uri", "idx"]);
    if (!reference || !isCount(reference["idx"], 0)) return undefined;
    const { uri } = reference;
    return typeof uri === "string" && uri.length <= 2048 && URI.test(uri) && URL.canParse(uri)
      ? (reference as StatusReference)
      : undefined;
  },
  given: "root",
  keeps: isSame,
  over: (_parent, wanted) => wanted,
  meet: (a, b) => (isSame(a, b) ? a : undefined),
};

function isSame(a: StatusReference, b: StatusReference): boolean {
  return a.uri === b.uri && a.idx === b.idx;
}
