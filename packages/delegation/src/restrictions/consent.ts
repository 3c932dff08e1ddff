import { type Member, closed } from "./member.ts";

/** How the principal's consent was obtained, weakest first: a key file, a login at an authorization server, a passkey. */
const RUNGS: readonly unknown[] = ["local", "oauth", "passkey"] satisfies Rung[];
export type Rung = "local" | "oauth" | "passkey";

export type MinimumConsent = {
  /** The weakest rung that will do. */
  readonly min: Rung;
  /** SHA-256 of the evidence that the root must name, base64url. */
  readonly evidence?: string;
};

const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

export function isRung(value: unknown): value is Rung {
  return RUNGS.includes(value);
}

/** SHA-256 in base64url. */
export function isDigest(value: unknown): value is string {
  return typeof value === "string" && DIGEST.test(value);
}

export function isAtLeast(least: Rung, rung: Rung): boolean {
  return RUNGS.indexOf(rung) >= RUNGS.indexOf(least);
}

/** A child's rung is no weaker, and its evidence the same once there is one. */
export const consent: Member<MinimumConsent> = {
  read(value) {
    const asked = closed(value, ["min", "evidence"]);
    if (!asked || !isRung(asked["min"])) return undefined;
    return asked["evidence"] === undefined || isDigest(asked["evidence"])
      ? (asked as MinimumConsent)
      : undefined;
  },
  keeps: (parent, child) =>
    isAtLeast(parent.min, child.min) && (parent.evidence === undefined || parent.evidence === child.evidence),
  over: (parent, wanted) => ({ ...parent, ...wanted }),
  meet(a, b) {
    if (a.evidence !== undefined && b.evidence !== undefined && a.evidence !== b.evidence) return undefined;
    return { ...a, ...b, min: isAtLeast(a.min, b.min) ? b.min : a.min };
  },
};
