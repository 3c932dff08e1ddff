import { randomBytes, toBase64url } from "@behest/jws";
import type { PrincipalRow } from "./types.ts";

interface Principal extends PrincipalRow {
  readonly issuer: string;
  readonly subject: string;
}

/** Principals of a store in memory. */
export class Principals {
  readonly #known = new Map<string, Principal>();
  readonly #named = new Map<string, Principal>();

  /** The row of (issuer, subject), made on first use. */
  of(issuer: string, subject: string): PrincipalRow {
    const pair = JSON.stringify([issuer, subject]);
    const known = this.#known.get(pair);
    if (known) return known;
    const row = { issuer, subject, pseudonym: toBase64url(randomBytes(16)), key: randomBytes(32) };
    this.#known.set(pair, row);
    this.#named.set(row.pseudonym, row);
    return row;
  }

  named(
    pseudonym: string,
  ): { readonly issuer: string; readonly subject: string; readonly key: Uint8Array } | undefined {
    const row = this.#named.get(pseudonym);
    return row && { issuer: row.issuer, subject: row.subject, key: row.key };
  }
}
