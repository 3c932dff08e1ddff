const brand = Symbol.for("behest.error");

/**
 * The base of every error this project throws: a stable `code`, never a token, key, argument or
 * personal datum in the message. Branded, so that two copies of a package still recognise each other's.
 */
export class CodedError<C extends string = string> extends Error {
  readonly code: C;
  constructor(code: C, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }
  static isInstance(error: unknown): error is CodedError {
    return typeof error === "object" && error !== null && brand in error;
  }
}

export type FormatCode =
  | "malformed_base64url"
  | "malformed_json"
  | "duplicate_member"
  | "too_deep"
  | "not_json"
  | "malformed_key"
  | "malformed_jws"
  | "header_refused"
  | "signature_invalid";

/** Bytes or text that are not what their format demands. */
export class FormatError extends CodedError<FormatCode> {}
