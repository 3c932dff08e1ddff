import { CodedError } from "@behest/jws";

export type CliCode =
  /** An option, argument or command is missing, unknown or not what it must be. */
  | "usage"
  /** The trust manifest names no key that begins so. */
  | "key_unknown"
  /** A key is not the pinned owner's. */
  | "owner_mismatch"
  /** A `--tool` is not what its grammar demands. */
  | "malformed_tool"
  | "malformed_time"
  /** `init` would overwrite what is there. */
  | "config_exists"
  | "config_missing"
  | "config_invalid"
  | "file_missing"
  | "file_unreadable"
  | "file_exists"
  | "file_unwritable"
  /** A file or text is neither a delegation nor an entry nor a list of entries. */
  | "malformed_input"
  /** The log has no entry of this index. */
  | "entry_missing"
  | "key_unsafe"
  /** A folder of policies has faults. */
  | "policy_invalid"
  /** A test of a table of tests was not met. */
  | "policy_test_failed"
  | "verification_failed"
  /** A server cannot listen where it should. */
  | "address_taken"
  /** Nothing waits for approval under this id. */
  | "approval_missing"
  /** The person did not say yes. */
  | "not_signed"
  | "demo_failed";

/** Every failure that the command itself finds; those of the packages keep their own codes. */
export class CliError extends CodedError<CliCode> {}

export function usage(message: string): CliError {
  return new CliError("usage", message);
}
