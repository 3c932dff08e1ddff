export interface DelegationRow {
  readonly leaf: string;
  readonly jti: string;
  readonly principal: string;
  /** Spawned ones: hash of the request, so that another request under the same jti is an `action_conflict`. */
  readonly request?: string;
  /** The chain, sealed. */
  readonly sealed: Uint8Array;
}

export interface StoredDelegation extends DelegationRow {
  /** Of its entry. */
  readonly index: number;
  readonly hash: string;
}
