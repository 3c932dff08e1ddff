import { type PublicKey, parseJson, publicKey, splitCompact, thumbprint } from "@behest/jws";
import { type Approver, approverOf, rolesAt } from "@behest/provenance";
import type { Deployment } from "../deployment.ts";
import type { LiveSession } from "../session/live.ts";

/** Whose key a signature says it is of. */
export interface Enrolled {
  readonly key: PublicKey;
  /** Who that is in a group; throws where the key is not enrolled in it. */
  personIn(group: string): string;
}

/** ms that a person's clock may be ahead. */
const SKEW = 60_000;

/**
 * The approver whose key `jws` names, under the trust manifest as it is now. `chain`: the holders' keys (`x`); a person
 * who has one of them does not approve what is done under it, with whatever key. Throws what is wrong.
 */
export function enrolledSigner(
  { manifest: { approvers } }: Pick<Deployment, "manifest">,
  jws: string,
  chain: ReadonlySet<string>,
): Enrolled {
  const kid = approverOf(jws);
  const roles = rolesAt(approvers).filter(({ jwk }) => thumbprint(jwk) === kid);
  const [role] = roles;
  const isInChain = ({ person, jwk }: Approver): boolean =>
    chain.has(jwk.x) && roles.some((own) => own.person === person);
  if (!role || approvers.some(isInChain)) throw new Error("not an approver of this chain");
  return {
    key: publicKey(role.jwk),
    personIn(group) {
      const found = roles.find((own) => own.group === group);
      if (!found) throw new Error("its signer is not in the group that it is for");
      return found.person;
    },
  };
}

/** Public keys (`x`) whose owners cannot approve what this chain does: its holders'. */
export function holdersOf({ parts }: LiveSession): ReadonlySet<string> {
  return new Set(parts.hops.map(({ jwk }) => jwk.x));
}

/** The same of a chain as it is stored. */
export function holdersIn(chain: readonly string[]): ReadonlySet<string> {
  return new Set(
    chain.map((token) => {
      const { cnf } = parseJson(splitCompact(token).payload) as { cnf: { jwk: { x: string } } };
      return cnf.jwk.x;
    }),
  );
}

/** Throws where a statement does not hold now (ms since the epoch). */
export function inTime({ iat, exp }: { readonly iat: number; readonly exp: number }, now: number): void {
  if (exp * 1000 <= now || iat * 1000 > now + SKEW) throw new Error("it is out of its time");
}
