import { type Json, canonical, parseJson } from "@behest/jws";
import { DelegationError } from "../error.ts";
import type { Effect } from "./effects.ts";
import type { Limit, LimitScope, ScopedLimits } from "./limits.ts";
import { type Restrictions, malformedRestriction } from "./restrictions.ts";
import type { RequiredApprovals } from "./approvals.ts";
import type { MinimumConsent } from "./consent.ts";
import type { StatusReference } from "./status.ts";

/** A number of calls, an amount per currency as decimals ("500.00"), and what is counted together; default `"subtree"`. */
export interface Limits {
  calls?: number;
  amount?: { [currency: string]: string };
  per?: LimitScope;
}

/** What a delegation may be restricted by, beside its tools. */
export interface RestrictionRequest {
  /** What it may touch nothing outside of: `acme/finance`. */
  readonly workspace?: string;
  /** At most one per scope. */
  readonly limits?: Limits | readonly Limits[];
  /** Children derived directly from it. */
  readonly fanOut?: number;
  /** Effects that its actions may have. Default: every one. */
  readonly effects?: readonly Effect[];
  /** Tool, or `"*"`, → group → persons who must approve each action. */
  readonly approvals?: RequiredApprovals;
  /** How the principal must have consented at least. */
  readonly minConsent?: MinimumConsent["min"] | MinimumConsent;
}

export const RESTRICTIONS: readonly string[] = [
  "workspace",
  "limits",
  "fanOut",
  "effects",
  "approvals",
  "minConsent",
];

/** As `bhst` carries it, a copy that nobody else can change; `undefined` where nothing restricts. Throws `malformed_request`. */
export function readRequest(request: RestrictionRequest, status?: StatusReference): Restrictions | undefined {
  const { workspace, fanOut, effects, approvals, minConsent } = request;
  const limits = request.limits === undefined ? undefined : scoped([request.limits].flat());
  const written = {
    ...(workspace !== undefined && { workspace }),
    ...(limits !== undefined && { limits }),
    ...(fanOut !== undefined && { fan_out: fanOut }),
    ...(effects !== undefined && { effects }),
    ...(approvals !== undefined && { approvals }),
    ...(minConsent !== undefined && {
      consent: typeof minConsent === "string" ? { min: minConsent } : minConsent,
    }),
    ...(status !== undefined && { status }),
  };
  if (Object.keys(written).length === 0) return undefined;
  let value: Json;
  try {
    value = parseJson(canonical(written));
  } catch (cause) {
    throw new DelegationError("malformed_request", "restrictions: not plain JSON", { cause });
  }
  const name = malformedRestriction(value);
  if (name !== undefined)
    throw new DelegationError("malformed_request", `${name}: not a well-formed restriction`);
  return value as Restrictions;
}

function scoped(limits: readonly Limits[]): ScopedLimits {
  const scopes: { [scope in LimitScope]?: Limit } = {};
  for (const { per = "subtree", ...limit } of limits) {
    if (Object.hasOwn(scopes, per))
      throw new DelegationError("malformed_request", "limits: a scope is named twice");
    scopes[per] = limit;
  }
  return scopes;
}
