import { type Json, canonical, publicKey } from "@behest/jws";
import { type Arguments, checkArguments, readArguments } from "./constraints/arguments.ts";
import { cachedChain } from "./cache.ts";
import { type DelegationLike, parseDelegation } from "./delegation.ts";
import { type DelegationCode, DelegationError } from "./error.ts";
import { deepFreeze } from "./freeze.ts";
import type { Clock, Hop } from "./token/hop.ts";
import { isInteger, settle } from "./token/number.ts";
import { type Replay, isFirst } from "./replay.ts";
import {
  type Claims,
  PROOF_TYPE,
  isObject,
  isText,
  openToken,
  verifiedClaims,
  verifyHeader,
  verifySignature,
} from "./token/token.ts";
import {
  type VerifiedDelegation,
  type VerifyOptions,
  checkAudience,
  checkStatus,
  clockOf,
  describe,
  issuersOf,
} from "./verify.ts";

/** What the caller of a tool presents. */
export interface PresentedAction {
  readonly chain: DelegationLike;
  /** From `proveAction`. */
  readonly proof: string;
  readonly tool: string;
  /** A JSON object, or its text where digits matter. */
  readonly args: Arguments | string;
}

export interface ActionOptions extends VerifyOptions {
  /** A proof must carry `aat_aud`. Default false; one that carries it must name `audience` in any case. */
  readonly requireProofAudience?: boolean;
  /** A proof must carry `nonce`, and it must be yours. Default: true when `nonce` is given. */
  readonly requireNonce?: boolean;
  /** The nonce that was issued, or a test of one. */
  readonly nonce?: string | null | ((nonce: string) => boolean | Promise<boolean>);
  /** Needed for every tool with side effects. */
  readonly replay?: Replay;
}

export interface VerifiedAction extends VerifiedDelegation {
  /** What was authorised: run exactly this object. */
  readonly args: Arguments;
  readonly proof: { readonly jti: string; readonly iat: number };
}

/**
 * Verifies one call: all of section 8 of draft-niyikiza-oauth-attenuating-agent-tokens-02. Throws
 * `DelegationError` with the step that denies.
 */
export async function verifyAction(action: PresentedAction, options: ActionOptions): Promise<VerifiedAction> {
  const clock = clockOf(options);
  const tokens = parseDelegation(action.chain, clock.limits);
  const { chain, keep } = await cachedChain(options.cache, tokens, issuersOf(options), clock);
  const delegation = describe(chain);
  // Most of step 7 before 6b, as section 8 allows: whoever does not hold the key learns nothing of what it permits and
  // takes no room in the cache, and the arguments are looked at last, which cost the most.
  const claims = await verifyProof(action.proof, chain.leaf, clock);
  keep();
  const args = readArguments(action.args, "6b", clock.limits.maxChainSize);
  const proof = matchProof(claims, chain.leaf);
  checkProofAudience(claims, options);
  if (proof.tool !== action.tool) deny("7e", "aat_tool is another tool");
  if (!(Math.abs(clock.now - proof.iat) <= clock.limits.proofWindow)) deny("7g", "iat is outside the window");
  const refused = checkArguments(delegation.tools, action.tool, args);
  if (refused) throw new DelegationError(refused.code, `6b: ${refused.path}: not granted`, { step: "6b" });
  if (canonical(args) !== canonical(settle(proof.hta) ?? null)) deny("7f", "hta differs from the arguments");
  checkAudience(chain, options);
  // What asks others comes last: a nonce may be spent by looking, and a look-up goes where the chain says.
  await checkNonce(claims, options);
  await checkStatus(chain, options);
  await recordProof(proof, options, clock);
  return deepFreeze({ ...delegation, args, proof: { jti: proof.jti, iat: proof.iat } });
}

async function verifyProof(proof: string, leaf: Hop, clock: Clock): Promise<Claims> {
  const token =
    typeof proof === "string" && proof.length <= clock.limits.maxChainSize ? openToken(proof) : undefined;
  if (!token) return deny("7a", "not a compact JWS over JSON");
  verifyHeader(token, PROOF_TYPE, "7a", leaf.claims.depth);
  const verified = verifySignature(token, publicKey(leaf.claims.jwk));
  if (!(verified instanceof Promise ? await verified : verified))
    deny("7b", "the signature does not verify under the leaf's holder key", "signature_invalid");
  return verifiedClaims(token, "7b", leaf.claims.depth);
}

/** Step 7c. */
function matchProof(claims: Claims, { claims: leaf }: Hop): Proof {
  const { jti, iat, aat_id: id, aat_hash: hash, aat_tool: tool, hta } = claims;
  if (!isText(jti) || !isText(id) || !isText(hash) || !isText(tool) || !isInteger(iat) || !isObject(hta))
    return deny("7c", "a claim is missing or of another type");
  if (id !== leaf.jti || hash !== leaf.hash) return deny("7c", "it was made for another delegation");
  return { jti, iat, tool, hta };
}

interface Proof {
  readonly jti: string;
  readonly iat: number;
  readonly tool: string;
  readonly hta: Json;
}

/** Step 7d. */
function checkProofAudience({ aat_aud: audience }: Claims, options: ActionOptions): void {
  if (audience === undefined ? options.requireProofAudience : audience !== options.audience)
    deny("7d", "aat_aud does not name this verifier", "audience_refused");
}

/** Step 7h. */
async function checkNonce({ nonce }: Claims, options: ActionOptions): Promise<void> {
  const issued = options.nonce ?? undefined;
  if (!(options.requireNonce ?? issued !== undefined)) return;
  const good = isText(nonce) && (typeof issued === "function" ? await issued(nonce) : nonce === issued);
  if (good !== true) deny("7h", "the nonce was not issued by this verifier");
}

/** Step 7i, the last: an id is spent only by a call that everything else permits. */
async function recordProof({ jti, iat }: Proof, { replay }: ActionOptions, clock: Clock): Promise<void> {
  if (!replay) return;
  if (await isFirst(replay, jti, iat + clock.limits.proofWindow + 1)) return;
  deny("7i", "it was used before, or is too old to tell", "proof_replayed");
}

function deny(step: string, what: string, code: DelegationCode = "proof_refused"): never {
  throw new DelegationError(code, `${step}: proof: ${what}`, { step });
}
