import { signCompact, thumbprint } from "@behest/jws";
import { type Arguments, readArguments } from "./constraints/arguments.ts";
import { type DelegationLike, parseDelegation } from "./delegation.ts";
import { DelegationError } from "./error.ts";
import type { Holder } from "./keys/holder.ts";
import { holderKey, signingHash } from "./token/hop.ts";
import { onlyMembers, optionalText, text, time } from "./request.ts";
import { PROOF_TYPE, isObject, isText, openToken } from "./token/token.ts";
import { uuidv7 } from "./token/uuid.ts";

export interface ActionToProve {
  readonly delegation: DelegationLike;
  readonly tool: string;
  /** A JSON object, or its text where digits matter. */
  readonly args: Arguments | string;
  /** The party it is presented to. */
  readonly audience?: string;
  /** As the verifier issued it. */
  readonly nonce?: string;
  /** Default: a new UUIDv7. */
  readonly jti?: string;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
}

const MEMBERS = ["delegation", "tool", "args", "audience", "nonce", "jti", "now"];

/**
 * Signs that the leaf's holder makes this call: an `aat-pop+jwt` (section 7.2 of the draft), valid for seconds,
 * once. It contains the arguments. Whether the delegation permits the call is for the verifier to say. Throws
 * `malformed_delegation`, `malformed_arguments`, `malformed_request`, `holder_mismatch`.
 */
export async function proveAction(action: ActionToProve, holder: Holder): Promise<string> {
  onlyMembers(action, MEMBERS);
  const leaf = openToken(parseDelegation(action.delegation).at(-1) ?? "");
  const claims = leaf?.payload?.value;
  if (!leaf || !isObject(claims) || !isText(claims["jti"]))
    throw new DelegationError("malformed_delegation", "delegation: the leaf is not a token");
  if (thumbprint(holder.jwk) !== thumbprint(holderKey(claims, "7b", 0)))
    throw new DelegationError("holder_mismatch", "holder: the delegation is bound to another key");
  const audience = optionalText(action.audience, "audience");
  const nonce = optionalText(action.nonce, "nonce");
  const payload = {
    jti: action.jti === undefined ? uuidv7() : text(action.jti, "jti"),
    iat: time(action.now),
    aat_id: claims["jti"],
    aat_hash: signingHash(leaf),
    aat_tool: text(action.tool, "tool"),
    hta: readArguments(action.args),
    ...(audience !== undefined && { aat_aud: audience }),
    ...(nonce !== undefined && { nonce }),
  };
  return signCompact({ typ: PROOF_TYPE }, payload, holder);
}
