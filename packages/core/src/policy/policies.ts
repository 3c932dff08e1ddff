import { canonicalPresent, sha256Text } from "@behest/jws";
import { cedar as loadCedar } from "./cedar.ts";
import { refuseFaults } from "./fault.ts";
import { readSources } from "./folder.ts";
import { type Checked, type Policies, prepare } from "./prepare.ts";

/**
 * Reads and validates a folder of policies, or `"default"`. Throws `policy_missing` where there is none that can be
 * read, `policy_invalid` with file, line, column and reason.
 */
export async function loadPolicies(policy: string): Promise<Policies> {
  const { faults, policies } = await checkPolicies(policy);
  refuseFaults(faults);
  return policies!;
}

// Cedar keeps what it has parsed as long as the thread lives, so each set is read and given to it once.
const known: Map<string, Promise<Checked>> = new Map();

/** The same, with all that is wrong instead of the first; policies where nothing is. Throws `policy_missing`, and `policy_invalid` for what is no text at all. */
export async function checkPolicies(policy: string): Promise<Checked> {
  const sources = readSources(policy);
  const key = sha256Text(canonicalPresent(sources));
  const checked = known.get(key) ?? loadCedar().then((cedar) => prepare(cedar, sources));
  known.set(key, checked);
  return checked;
}
