export interface PrincipalRow {
  /** Random, base64url: the only name entries use. */
  readonly pseudonym: string;
  /** 32 bytes: seals this principal's content and salts its commitments; destroyed by erasure. */
  readonly key: Uint8Array;
}

export interface Principal extends PrincipalRow {
  readonly issuer: string;
  readonly subject: string;
}
