import { type Vault, vaultOf } from "./content.ts";
import type { Engine } from "../store/types.ts";

/** Whom a pseudonym stands for, with the key that opens what is kept of that principal. */
export interface KnownPrincipal {
  readonly issuer: string;
  readonly subject: string;
  readonly vault: Vault;
}

/** Undefined after erasure. */
export async function principalOf(engine: Engine, pseudonym: string): Promise<KnownPrincipal | undefined> {
  const row = await engine.subject(pseudonym);
  return row && { issuer: row.issuer, subject: row.subject, vault: vaultOf(pseudonym, row.key) };
}
