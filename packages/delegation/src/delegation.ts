import { parseJson } from "@behest/jws";
import { DelegationError } from "./error.ts";
import { DEFAULT_LIMITS, type VerificationLimits } from "./limits.ts";

/** A chain of compact JWS, root first; `JSON.stringify`-able as it stands. */
export interface Delegation {
  readonly chain: readonly string[];
}

/** A chain in any form: an object, an array of tokens, JSON text of either, or one root token. */
export type DelegationLike = Delegation | readonly string[] | string;

/** The tokens of a chain, root first, nothing of them checked but the size of the text. Throws `malformed_delegation`. */
export function parseDelegation(
  delegation: DelegationLike,
  limits: Pick<VerificationLimits, "maxChainSize"> = DEFAULT_LIMITS,
): readonly string[] {
  const value: unknown =
    typeof delegation === "string" ? fromText(delegation, limits.maxChainSize) : delegation;
  const chain: unknown = isChainObject(value) ? value.chain : value;
  // Copied before it is looked at: the caller's array may change.
  const tokens: readonly unknown[] | undefined = Array.isArray(chain)
    ? [...(chain as readonly unknown[])]
    : undefined;
  if (!tokens?.every((token) => typeof token === "string"))
    throw new DelegationError(
      "malformed_delegation",
      'delegation: expected {"chain": [root, …, leaf]}, an array of tokens, or JSON of either',
    );
  return tokens;
}

function fromText(text: string, maxChainSize: number): unknown {
  // Twice the chain: quotes, indentation and members nobody reads.
  if (!(text.length <= 2 * maxChainSize))
    throw new DelegationError("malformed_delegation", `delegation: text is longer than ${2 * maxChainSize}`, {
      step: "2b",
    });
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") && !trimmed.startsWith("[")) return [trimmed];
  try {
    return parseJson(trimmed);
  } catch (cause) {
    throw new DelegationError("malformed_delegation", "delegation: text is not JSON", { cause });
  }
}

function isChainObject(value: unknown): value is { readonly chain: unknown } {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, "chain")
  );
}
