import { type PublicKey, type Signer, headerSegment, signCompact } from "@behest/jws";
import { readClaims } from "./claims.ts";
import type { Decision } from "./payload.ts";
import { type Check, bytes32, closed, text } from "./shape.ts";

const TYP = "behest-decision+jwt";
const HEAD: string = headerSegment({ typ: TYP });

const shape: Check = closed<Decision>({ action: text, leaf: bytes32, tool: text, args: bytes32 });

/** The holder signs that it decided this action, with these arguments, under this delegation. At once when its signer is. */
export function signActionDecision(decision: Decision, holder: Signer): string | Promise<string> {
  return signCompact(HEAD, { ...decision }, holder);
}

/** The decision that this holder signed. Throws `signature_invalid`, `malformed_decision`. */
export async function readActionDecision(jws: string, key: PublicKey): Promise<Decision> {
  return readClaims<Decision>(jws, key, { typ: TYP, code: "malformed_decision", shape });
}
