import { type Manifest, rolesAt } from "@behest/provenance";
import type { PolicyRule } from "./rule.ts";

/** A group of which policies ask for more persons than are enrolled: what they ask for can never be approved. */
export interface Shortage {
  readonly group: string;
  /** The most persons that any of them asks for. */
  readonly need: number;
  readonly enrolled: number;
  /** Ids of those that ask for too many. */
  readonly rules: readonly string[];
}

/** Where the trust manifest, as it is now, has fewer approvers than policies want. Several keys of one person count once. */
export function shortages(
  rules: readonly PolicyRule[],
  { approvers }: Pick<Manifest, "approvers">,
): Shortage[] {
  const now = rolesAt(approvers);
  const asking = Map.groupBy(
    rules.filter(({ ask }) => ask),
    ({ ask }) => ask!.group,
  );
  return [...asking].flatMap(([group, all]): Shortage[] => {
    const enrolled = new Set(now.filter((role) => role.group === group).map(({ person }) => person)).size;
    const short = all.filter(({ ask }) => ask!.need > enrolled);
    if (short.length === 0) return [];
    const need = Math.max(...short.map(({ ask }) => ask!.need));
    return [{ group, need, enrolled, rules: short.map(({ id }) => id) }];
  });
}

/** One line, for whoever runs the deployment. */
export function shortageText({ group, need, enrolled, rules }: Shortage): string {
  return `policies ask for ${need} of "${group}" (${rules.join(", ")}) and the trust manifest enrols ${enrolled}: this can never be approved. Enrol approvers, or change the policies.`;
}
