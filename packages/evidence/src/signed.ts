import { CodedError, publicKey, thumbprint } from "@behest/jws";
import {
  type ApprovalEntry,
  BREAK_GLASS,
  type Manifest,
  approverOf,
  readApproval,
  readMandate,
  readOverride,
  rolesAt,
} from "@behest/provenance";
import type { SignedApproval } from "./report.ts";

/**
 * Who signed an approval, as the manifest in force names the key for its group at this index; undefined where it names
 * none, or the signature is not of that key. Whether it lets an action start is for `verifyLog` to say.
 */
export async function signedBy(
  entry: ApprovalEntry,
  index: number,
  manifest: Manifest | undefined,
): Promise<SignedApproval | undefined> {
  if (!manifest) return undefined;
  try {
    const key = approverOf(entry.decision);
    const roles = rolesAt(manifest.approvers, index).filter(({ jwk }) => thumbprint(jwk) === key);
    if (!roles[0]) return undefined;
    const said = await read(entry, publicKey(roles[0].jwk));
    const role = roles.find(({ group }) => group === said.group);
    if (!role) return undefined;
    const until = new Date(said.exp * 1000).toISOString();
    return { decision: said.decision, group: role.group, person: role.person, key, until };
  } catch (error) {
    // A date that none can be made of is a RangeError.
    if (CodedError.isInstance(error) || error instanceof RangeError) return undefined;
    throw error;
  }
}

async function read(
  { kind, decision }: ApprovalEntry,
  key: ReturnType<typeof publicKey>,
): Promise<{ readonly decision: "approve" | "deny"; readonly group: string; readonly exp: number }> {
  if (kind === "decision") return readApproval(decision, key);
  if (kind === "mandate") return readMandate(decision, key);
  return { ...(await readOverride(decision, key)), group: BREAK_GLASS };
}
