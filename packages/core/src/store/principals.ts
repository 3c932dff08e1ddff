import { randomBytes, toBase64url } from "@behest/jws";
import type { Principal, PrincipalRow } from "./types.ts";

export function newPrincipal(): PrincipalRow {
  return { pseudonym: toBase64url(randomBytes(16)), key: randomBytes(32) };
}

/** Principals of a store in memory. */
export class Principals {
  /** By issuer and subject, and by pseudonym. */
  readonly #known = new Map<string, Principal>();
  readonly #named = new Map<string, Principal>();

  /** The row of (issuer, subject), made on first use. */
  of(issuer: string, subject: string): PrincipalRow {
    const known = this.#known.get(pairOf({ issuer, subject }));
    if (known) return known;
    const row = { issuer, subject, ...newPrincipal() };
    this.#add(row);
    return row;
  }

  /** False where the pair or the pseudonym has a row. */
  register(row: Principal): boolean {
    const isNew = !this.#known.has(pairOf(row)) && !this.#named.has(row.pseudonym);
    if (isNew) this.#add(row);
    return isNew;
  }

  #add(row: Principal): void {
    this.#known.set(pairOf(row), row);
    this.#named.set(row.pseudonym, row);
  }

  called(subject: string): readonly Pick<Principal, "pseudonym" | "issuer">[] {
    return [...this.#named.values()]
      .filter((row) => row.subject === subject)
      .map(({ pseudonym, issuer }) => ({ pseudonym, issuer }));
  }

  erase(pseudonym: string): void {
    const row = this.#named.get(pseudonym);
    if (row) this.#known.delete(pairOf(row));
    this.#named.delete(pseudonym);
  }

  named(pseudonym: string): Omit<Principal, "pseudonym"> | undefined {
    const row = this.#named.get(pseudonym);
    return row && { issuer: row.issuer, subject: row.subject, key: row.key };
  }
}

function pairOf({ issuer, subject }: Pick<Principal, "issuer" | "subject">): string {
  return JSON.stringify([issuer, subject]);
}
