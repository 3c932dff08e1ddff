import { sql } from "./server.ts";

/** A schema whose server is days behind until it is {@link Late.now}: what it says of the time stands before PostgreSQL's own. */
export class Late {
  /** As a store reaches it. */
  readonly url: string;
  readonly #at: string;
  #behind: number;

  private constructor(at: string, days: number) {
    this.url = `${at}%2Cpg_catalog`;
    this.#at = at;
    this.#behind = days * 86_400_000;
  }

  /** `at`: as {@link Server.url} gives it. */
  static async behind(at: string, days: number): Promise<Late> {
    await sql(at, `CREATE TABLE behind AS SELECT interval '${days} days' AS by`);
    await sql(
      at,
      `CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
       AS 'SELECT pg_catalog.clock_timestamp() - by FROM behind'`,
    );
    return new Late(at, days);
  }

  async now(): Promise<void> {
    await sql(this.#at, "UPDATE behind SET by = '0'");
    this.#behind = 0;
  }

  /** Of a process there. */
  readonly clock = (): number => Date.now() - this.#behind;
}
