import { randomBytes, toBase64url } from "@behest/jws";
import { type Commitment, commit } from "@behest/provenance";
import { BehestError } from "../error.ts";

/** What opens a commitment to a reason. */
export interface Reason {
  readonly text: string;
  readonly salt: string;
}

/** Under a salt that is kept nowhere: whoever asked may keep it. Throws `config_invalid`. */
export function committed(text: string): { readonly reason: Reason; readonly commitment: Commitment } {
  if (typeof text !== "string" || text === "" || !text.isWellFormed())
    throw new BehestError("config_invalid", "config_invalid: a reason is a text.");
  const salt = toBase64url(randomBytes(32));
  return { reason: { text, salt }, commitment: commit(salt, text) };
}
