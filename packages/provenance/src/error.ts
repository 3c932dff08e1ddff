import { CodedError } from "@behest/jws";

export type ProvenanceCode =
  | "malformed_entry"
  | "malformed_checkpoint"
  | "malformed_trust"
  | "malformed_certificate"
  | "malformed_decision"
  | "malformed_approval"
  | "malformed_cut"
  | "malformed_span_proof"
  | "malformed_head"
  | "malformed_bundle"
  | "malformed_vkey"
  | "malformed_request"
  | "malformed_witness_policy"
  | "malformed_content"
  | "signature_invalid"
  | "owner_mismatch"
  | "roles_not_apart"
  | "changes_unsigned"
  | "enforcer_not_trusted"
  | "origin_mismatch"
  | "out_of_tree"
  | "malformed_salt"
  | "too_large"
  | "signer_async";

/** Every failure of this package. */
export class ProvenanceError extends CodedError<ProvenanceCode> {}

/** Runs `read`; what it throws that is not ours becomes `code`, with the cause kept. */
export function refusing<T>(code: ProvenanceCode, message: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ProvenanceError) throw cause;
    throw new ProvenanceError(code, message, { cause });
  }
}

/** The hot paths hold a lock or a transaction and cannot wait: a signer that answers with a promise is `signer_async`. */
export function atOnce<T>(result: T | Promise<T>): T {
  if (!(result instanceof Promise)) return result;
  // Its answer is of no use; without a handler a later rejection would end the process.
  result.catch(() => undefined);
  throw new ProvenanceError(
    "signer_async",
    "this is signed with a key in memory; certify one with certifyEntryKey",
  );
}
